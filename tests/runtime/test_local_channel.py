"""What the local channel does beyond what it shares with sockets."""

import asyncio
import contextlib
from contextlib import aclosing
from typing import Any

import grpc
import pytest

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.channels.local_channel import LocalServer

Servicer: Any = stubs.EventServiceServicer
REQUEST = pb.GetHeadRequest(scope="global")
RESPONSE = pb.GetHeadResponse(last_offset=1)


class Events(Servicer):  # type: ignore[misc]
    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.ended = asyncio.Event()

    async def GetHead(self, request: Any, context: Any) -> Any:
        self.seen.append((request, context.invocation_metadata(), context.peer()))
        self.seen.append((asyncio.current_task(), context.time_remaining()))
        return RESPONSE

    async def ReadEvents(self, request: Any, context: Any) -> Any:
        with contextlib.suppress(asyncio.CancelledError):  # a handler that behaves badly
            await asyncio.Event().wait()
        return pb.ReadEventsResponse()

    async def Follow(self, request: Any, context: Any) -> None:
        try:
            await context.write(pb.FollowResponse())
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def server(events: Events) -> LocalServer:
    server = LocalServer()
    stubs.add_EventServiceServicer_to_server(events, server)
    return server


@pytest.fixture
def stub(server: LocalServer) -> Any:
    return stubs.EventServiceStub(server.channel(lambda: (("authorization", "Bearer s"),)))


async def test_messages_pass_by_reference_in_the_callers_task(stub: Any, events: Events) -> None:
    """A unary call copies nothing and makes no task."""
    assert await stub.GetHead(REQUEST) is RESPONSE
    assert events.seen[0][0] is REQUEST
    assert events.seen[1] == (asyncio.current_task(), None)


async def test_the_channels_metadata_is_a_default(stub: Any, events: Events) -> None:
    """A call's own metadata is added, and replaces the channel's of the same key."""
    await stub.GetHead(REQUEST, metadata=(("x", "1"),))
    await stub.GetHead(REQUEST, metadata=(("authorization", "Bearer mine"),))
    assert events.seen[0][1:] == ((("authorization", "Bearer s"), ("x", "1")), "local")
    assert events.seen[2][1] == (("authorization", "Bearer mine"),)


async def test_the_deadline_is_known_to_the_handler(stub: Any, events: Events) -> None:
    """The handler sees how much time is left."""
    await stub.GetHead(REQUEST, timeout=5)
    assert 4 < events.seen[1][1] <= 5


async def test_a_handler_that_swallows_its_cancellation_still_times_out(stub: Any) -> None:
    """The deadline's outcome stands, and the caller's task is not left cancelled."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ReadEvents(pb.ReadEventsRequest(), timeout=0.01)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_an_abandoned_stream_ends(stub: Any, events: Events) -> None:
    """A handler is cancelled as soon as nobody can read its answer any more."""
    async for _ in stub.Follow(pb.FollowRequest()):
        break
    await asyncio.wait_for(events.ended.wait(), 1)


async def test_closing_the_iterator_ends_the_stream(stub: Any, events: Events) -> None:
    """An iterator that is closed cancels the handler while the call is still held."""
    call = stub.Follow(pb.FollowRequest())
    async with aclosing(call.__aiter__()) as frames:
        await anext(frames)
    await asyncio.wait_for(events.ended.wait(), 1)
    assert call.cancelled()


async def test_stopping_the_server_ends_its_streams(
    server: LocalServer, stub: Any, events: Events
) -> None:
    """Handlers are awaited, and readers learn that it was not they who cancelled."""
    call = stub.Follow(pb.FollowRequest())
    await call.read()
    await server.stop(0)
    assert events.ended.is_set()
    assert not server.streams
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.CANCELLED


async def test_a_context_tells_when_the_call_is_done(server: LocalServer) -> None:
    """Done callbacks of both sides run once, when the call has ended."""
    done: list[str] = []

    async def handler(_request: Any, context: Any) -> Any:
        context.add_done_callback(lambda _: done.append("server"))
        assert not context.done()
        return RESPONSE

    server.add_registered_method_handlers(
        "test.Done", {"Unary": grpc.unary_unary_rpc_method_handler(handler)}
    )
    unary: Any = server.channel().unary_unary("/test.Done/Unary")
    call = unary(REQUEST)
    call.add_done_callback(lambda _: done.append("client"))
    await call
    assert sorted(done) == ["client", "server"]


async def test_a_failure_outside_of_interceptors_says_nothing(server: LocalServer) -> None:
    """An exception that nobody maps becomes UNKNOWN without its text."""

    async def handler(_request: Any, _context: Any) -> Any:
        raise ValueError("canary")

    server.add_registered_method_handlers(
        "test.Fails", {"Unary": grpc.unary_unary_rpc_method_handler(handler)}
    )
    unary: Any = server.channel().unary_unary("/test.Fails/Unary")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await unary(REQUEST)
    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    assert "canary" not in repr(caught.value)
