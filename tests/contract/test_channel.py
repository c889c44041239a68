"""Code above a channel can't tell a local one from sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.protobuf import wrappers_pb2

from antiphon.auth.v1.access_pb2 import PERMISSION_READ
from antiphon.events.v1 import event_pb2, stream_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.error_table import domain_error_of, remote_errors
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.interceptors.access import AccessInterceptor
from antiphon_server.runtime.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.local_channel import LocalServer
from antiphon_server.runtime.principal import (
    ANONYMOUS,
    Principal,
    SessionId,
    UserId,
    current_principal,
)
from antiphon_server.runtime.server import Server

SCOPE = "conversations/conv_00000001"
CANARY = "canary-in-an-exception"
USER = Principal("user", UserId("user_1"), SessionId("sess_1"))
SERVICE = Principal("service", UserId("dispatcher"), SessionId(""))
COUNT = "/antiphon.test.Counter/Count"
FOLLOW = pb.FollowRequest(watches=[stream_pb2.Watch(watch_id="w", scope=SCOPE)])
BIG = pb.FollowResponse(ended=stream_pb2.WatchEnded(watch_id="x" * 10_000))
AUTHORIZED = (("authorization", "Bearer user"),)


Servicer: Any = stubs.EventServiceServicer  # its types ask for every method at once


class Events(Servicer):  # type: ignore[misc]
    """Does something different for every test; ``log`` says what happened."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def GetHead(self, request: pb.GetHeadRequest, context: Any) -> Any:
        sent = dict(context.invocation_metadata())
        if sent.get("x-bytes"):
            return pb.GetHeadResponse(cursor="bytes").SerializeToString()
        await context.send_initial_metadata((("x-first", "1"),))
        context.set_trailing_metadata((("x-last", "2"),))
        return pb.GetHeadResponse(
            cursor=sent.get("x-test", ""), earliest_cursor=current_principal().user_id
        )

    async def ReadEvents(self, request: pb.ReadEventsRequest, context: Any) -> Any:
        if request.cursor == "missing":
            raise not_found(request.scope)
        if request.cursor == "defect":
            raise ValueError(CANARY)
        if request.cursor == "large":
            return pb.ReadEventsResponse(cursor="x" * (3 << 20))
        self.begun.set()
        return await self._forever()

    async def Follow(self, request: pb.FollowRequest, context: Any) -> Any:
        """Written as a generator."""
        self.begun.set()
        if request.follow_id == "endless":
            try:
                while True:
                    yield BIG
                    self.log.append("sent")
            finally:
                self.ended.set()
        yield pb.FollowResponse(progress=stream_pb2.Progress())
        yield pb.FollowResponse(
            created=stream_pb2.WatchCreated(watch_id="bytes")
        ).SerializeToString()
        if request.follow_id == "fails":
            raise DomainError(Reason.LIMIT_EXCEEDED, limit="watches")
        if request.follow_id == "hangs":
            await self._forever()

    async def Subscribe(self, requests: Any, context: Any) -> None:
        """Written with read and write."""
        self.begun.set()
        try:
            while (message := await context.read()) is not grpc.aio.EOF:
                created = stream_pb2.WatchCreated(watch_id=message.create.watch_id)
                await context.write(pb.SubscribeResponse(created=created))
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        finally:
            self.ended.set()

    async def Append(self, request: pb.AppendRequest, context: Any) -> Any:
        return pb.AppendResponse(cursor=current_principal().actor)

    async def count(self, requests: Any, context: Any) -> wrappers_pb2.Int32Value:
        """Count a stream of requests."""
        self.begun.set()
        total = 0
        async for request in requests:
            if request.value < 0:
                raise not_found("number")
            total += request.value
        return wrappers_pb2.Int32Value(value=total)

    async def _forever(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        finally:
            self.ended.set()


class Tokens:
    """Knows two tokens."""

    async def verify(self, token: str) -> Principal:
        known = {"user": USER, "service": SERVICE}
        if token not in known:
            raise DomainError(Reason.TOKEN_INVALID)
        return known[token]


class Roles:
    """Lets users read one conversation."""

    async def check(self, principal: Principal, permission: int, resource: str) -> None:
        assert principal != ANONYMOUS
        if principal.kind == "service":
            return
        if resource != SCOPE:
            raise not_found(resource)
        if permission != PERMISSION_READ:
            raise DomainError(Reason.PERMISSION_DENIED, permission="WRITE")


Open = Callable[[Events, LocalServer], Awaitable[grpc.aio.Channel]]


def register(events: Events, server: LocalServer) -> None:
    stubs.add_EventServiceServicer_to_server(events, server)
    handler = grpc.stream_unary_rpc_method_handler(
        events.count,
        request_deserializer=wrappers_pb2.Int32Value.FromString,
        response_serializer=wrappers_pb2.Int32Value.SerializeToString,
    )
    server.add_registered_method_handlers("antiphon.test.Counter", {"Count": handler})


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture(params=["local", "real"])
async def open_channel(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Open a channel of each kind to a table of methods."""
    closing: list[Callable[[], Awaitable[None]]] = []

    async def opened(table: LocalServer) -> grpc.aio.Channel:
        channel: grpc.aio.Channel
        if request.param == "local":
            channel = table.channel()
            closing.append(lambda: table.stop(0))
        else:
            server = Server(table)
            port = await server.start("127.0.0.1", 0)
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
            closing.append(lambda: server.stop(0))
        closing.append(channel.close)
        return channel

    yield opened
    for close in reversed(closing):
        await close()


@pytest.fixture
async def channel(open_channel: Any, events: Events) -> grpc.aio.Channel:
    """A channel to servers that let everybody in."""
    table = LocalServer([ErrorInterceptor(), ValidationInterceptor()])
    register(events, table)
    opened: grpc.aio.Channel = await open_channel(table)
    return opened


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return stubs.EventServiceStub(channel)


@pytest.fixture
async def guarded(open_channel: Any, events: Events) -> Any:
    """A stub of a server with authentication and access."""
    table = LocalServer(
        [
            ErrorInterceptor(),
            AuthenticationInterceptor(Tokens()),
            ValidationInterceptor(),
            AccessInterceptor(Roles()),
        ]
    )
    stubs.add_EventServiceServicer_to_server(events, table)
    return stubs.EventServiceStub(await open_channel(table))


def head() -> pb.GetHeadRequest:
    return pb.GetHeadRequest(scope=SCOPE)


def read(cursor: str = "hangs") -> pb.ReadEventsRequest:
    return pb.ReadEventsRequest(scope=SCOPE, cursor=cursor)


def subscribe(watch_id: str) -> pb.SubscribeRequest:
    return pb.SubscribeRequest(create=stream_pb2.Watch(watch_id=watch_id, scope=SCOPE))


async def failure(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_unary_with_metadata_both_ways(stub: Any) -> None:
    """Metadata reaches the handler; initial and trailing metadata reach the caller."""
    call = stub.GetHead(head(), metadata=(("x-test", "seen"),))
    response = await call
    assert response.cursor == "seen"
    assert (await call.initial_metadata())["x-first"] == "1"
    assert (await call.trailing_metadata())["x-last"] == "2"
    assert await call.code() is grpc.StatusCode.OK
    assert call.done()


async def test_a_call_may_be_awaited_twice_and_asked_before(stub: Any) -> None:
    """A call that is asked for its code starts by itself; awaiting again gives the same."""
    call = stub.GetHead(head())
    assert await call.code() is grpc.StatusCode.OK
    assert await call == await call


async def test_calls_run_concurrently(stub: Any, events: Events) -> None:
    """Gathering calls overlaps them."""
    hanging = asyncio.ensure_future(stub.ReadEvents(read()))
    responses = await asyncio.gather(*(stub.GetHead(head()) for _ in range(5)))
    assert len(responses) == 5
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging


async def test_a_handler_may_answer_with_bytes(stub: Any) -> None:
    """Serialised responses arrive as messages, unary and streamed."""
    response = await stub.GetHead(head(), metadata=(("x-bytes", "1"),))
    assert response == pb.GetHeadResponse(cursor="bytes")
    frames = [frame async for frame in stub.Follow(FOLLOW)]
    assert frames[1] == pb.FollowResponse(created=stream_pb2.WatchCreated(watch_id="bytes"))


async def test_a_caller_may_ask_for_bytes(channel: grpc.aio.Channel) -> None:
    """Without codecs, bytes go in and come out, whatever the handler wrote."""
    name = "/antiphon.events.v1.EventService/"
    unary: Any = channel.unary_unary(name + "GetHead")
    raw = await unary(head().SerializeToString(), metadata=(("x-test", "raw"),))
    assert pb.GetHeadResponse.FromString(raw).cursor == "raw"
    stream: Any = channel.unary_stream(name + "Follow")
    frames = [raw async for raw in stream(FOLLOW.SerializeToString())]
    assert [pb.FollowResponse.FromString(raw).WhichOneof("frame") for raw in frames] == [
        "progress",
        "created",
    ]


async def test_a_large_message_passes(stub: Any) -> None:
    """Three mebibytes are no problem."""
    assert len((await stub.ReadEvents(read("large"))).cursor) == 3 << 20


async def test_server_stream_in_order(stub: Any) -> None:
    """A stream of responses arrives in order and ends with OK."""
    call = stub.Follow(FOLLOW)
    assert [frame.WhichOneof("frame") async for frame in call] == ["progress", "created"]
    assert await call.code() is grpc.StatusCode.OK


async def test_client_stream(channel: grpc.aio.Channel) -> None:
    """A stream of requests gets one response: written, iterated, or refused."""
    count: Any = channel.stream_unary(
        COUNT,
        request_serializer=wrappers_pb2.Int32Value.SerializeToString,
        response_deserializer=wrappers_pb2.Int32Value.FromString,
    )
    numbers = [wrappers_pb2.Int32Value(value=n) for n in range(50)]
    assert (await count(iter(numbers))).value == sum(range(50))
    call = count()
    await call.write(wrappers_pb2.Int32Value(value=7))
    await call.done_writing()
    assert (await call).value == 7
    error = await failure(count(iter([wrappers_pb2.Int32Value(value=-1)])))
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_bidirectional_by_read_and_write(stub: Any) -> None:
    """Each request is answered while the stream is open; done_writing ends it."""
    call = stub.Subscribe()
    for name in ("a", "b"):
        await call.write(subscribe(name))
        assert (await call.read()).created.watch_id == name
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_bidirectional_by_iterators(stub: Any) -> None:
    """An async iterator of requests is answered by an async iterator of responses."""

    async def requests() -> AsyncIterator[pb.SubscribeRequest]:
        for number in range(100):
            yield subscribe(f"w{number}")

    frames = [frame async for frame in stub.Subscribe(requests())]
    assert [frame.created.watch_id for frame in frames] == [f"w{n}" for n in range(100)]


async def test_deadline_of_a_unary_call(stub: Any, events: Events) -> None:
    """The caller gets DEADLINE_EXCEEDED, the handler is cancelled."""
    error = await failure(stub.ReadEvents(read(), timeout=0.1))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(events.ended.wait(), 2)
    assert events.log == ["cancelled"]


async def test_deadline_of_a_stream(stub: Any, events: Events) -> None:
    """What came before the deadline was delivered, then the stream fails."""
    call = stub.Follow(pb.FollowRequest(follow_id="hangs", watches=FOLLOW.watches), timeout=0.3)
    assert [(await call.read()).WhichOneof("frame") for _ in range(2)] == ["progress", "created"]
    assert (await failure(call.read())).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(events.ended.wait(), 2)


async def test_cancelling_the_awaiting_task_reaches_the_handler(stub: Any, events: Events) -> None:
    """A task that is cancelled while it awaits a call takes the handler with it."""

    async def ask() -> None:
        await stub.ReadEvents(read(), timeout=30)

    task = asyncio.create_task(ask())
    await events.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    await asyncio.wait_for(events.ended.wait(), 2)
    assert events.log == ["cancelled"]


async def test_cancelling_a_unary_call(stub: Any, events: Events) -> None:
    """call.cancel() raises CancelledError where it is awaited, and cancels the handler only."""
    call = stub.ReadEvents(read())

    async def ask() -> str:
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.sleep(0)  # the task itself goes on
        return "alive"

    task = asyncio.create_task(ask())
    await events.begun.wait()
    assert call.cancel()
    assert await task == "alive"
    assert call.cancelled()
    assert not call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED
    await asyncio.wait_for(events.ended.wait(), 2)


async def test_a_call_cancelled_before_it_is_awaited(stub: Any) -> None:
    """Awaiting it raises CancelledError at once."""
    call = stub.ReadEvents(read())
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_cancelling_a_stream_reaches_the_handler(stub: Any, events: Events) -> None:
    """A reader that waits gets CancelledError; a handler that reads is ended.

    On sockets its read gives EOF, on the local channel CancelledError.
    """
    call = stub.Subscribe()
    await call.write(subscribe("a"))
    await call.read()
    reading = asyncio.create_task(call.read())
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.wait_for(events.ended.wait(), 2)
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_a_writer_waits_for_its_reader(stub: Any, events: Events) -> None:
    """A stream that nobody reads holds its handler up, and its generator is closed."""
    call = stub.Follow(pb.FollowRequest(follow_id="endless", watches=FOLLOW.watches))
    await call.read()
    count = -1
    while count != len(events.log):  # until the buffers of the way are full
        count = len(events.log)
        await asyncio.sleep(0.2)
    assert count < 10_000
    call.cancel()
    await asyncio.wait_for(events.ended.wait(), 2)


async def test_closing_the_channel_ends_its_streams(
    stub: Any, channel: grpc.aio.Channel, events: Events
) -> None:
    """Open streams end and new calls are refused."""
    call = stub.Subscribe()
    await call.write(subscribe("a"))
    await call.read()
    await channel.close()
    await asyncio.wait_for(events.ended.wait(), 2)
    with pytest.raises((grpc.aio.UsageError, asyncio.CancelledError, grpc.aio.AioRpcError)):
        await stub.GetHead(head())


async def test_a_domain_error_arrives_whole(stub: Any) -> None:
    """Code, sentence and ErrorInfo cross the channel, unary and streamed."""
    error = await failure(stub.ReadEvents(read("missing")))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error.details() == f"{SCOPE} was not found."
    assert domain_error_of(error).metadata == {"resource": SCOPE}
    with pytest.raises(DomainError) as caught, remote_errors():
        async for _ in stub.Follow(pb.FollowRequest(follow_id="fails", watches=FOLLOW.watches)):
            pass
    assert (caught.value.reason, caught.value.metadata) == (
        Reason.LIMIT_EXCEEDED,
        {"limit": "watches"},
    )


async def test_a_defect_says_nothing(stub: Any) -> None:
    """An unexpected exception becomes INTERNAL without its text."""
    error = await failure(stub.ReadEvents(read("defect")))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert domain_error_of(error).reason is Reason.INTERNAL
    assert CANARY not in f"{error!r} {error.trailing_metadata()!r}"


async def test_an_unknown_method_is_refused(channel: grpc.aio.Channel) -> None:
    """A method that nobody registered gives UNIMPLEMENTED with ErrorInfo, as one unwritten does."""
    unknown: Any = channel.unary_unary("/antiphon.events.v1.EventService/Nothing")
    error = await failure(unknown(b""))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert domain_error_of(error).reason is Reason.UNIMPLEMENTED
    unwritten = stubs.EventServiceStub(channel).Trim(pb.TrimRequest(scope="s", before_offset=1))
    assert (await failure(unwritten)).code() is grpc.StatusCode.UNIMPLEMENTED


async def test_an_invalid_request_names_its_fields(stub: Any, events: Events) -> None:
    """A rule of the contract refuses the message before the handler."""
    watch = stream_pb2.Watch(watch_id="w", scope="nowhere")
    with pytest.raises(DomainError) as caught, remote_errors():
        async for _ in stub.Follow(pb.FollowRequest(watches=[watch])):
            pass
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert [v.field for v in caught.value.violations] == ["watches[0].scope"]
    assert not events.begun.is_set()


async def test_an_invalid_message_of_a_stream_is_refused(stub: Any) -> None:
    """Messages of a request stream are checked as they are read."""
    call = stub.Subscribe()
    await call.write(subscribe("a"))
    await call.read()
    await call.write(pb.SubscribeRequest())
    error = await failure(call.read())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_no_token_no_entry(guarded: Any, events: Events) -> None:
    """Without a token, with a wrong one or another scheme a call is refused before its handler."""
    for metadata in (None, (("authorization", "Bearer no"),), (("authorization", "Basic user"),)):
        error = await failure(guarded.GetHead(head(), metadata=metadata))
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    call = guarded.Subscribe()
    assert (await failure(call.read())).code() is grpc.StatusCode.UNAUTHENTICATED
    assert not events.begun.is_set()


async def test_the_principal_is_the_tokens_and_only_for_the_call(guarded: Any) -> None:
    """The handler knows who calls; the caller's own task is not changed by it."""
    response = await guarded.GetHead(head(), metadata=AUTHORIZED)
    assert response.earliest_cursor == "user_1"
    assert current_principal() is ANONYMOUS


async def test_the_contract_says_who_may(guarded: Any) -> None:
    """Roles are asked for the named resource; internal methods are for services."""
    foreign = pb.GetHeadRequest(scope="conversations/conv_00000002")
    error = await failure(guarded.GetHead(foreign, metadata=AUTHORIZED))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    typing = pb.PublishEphemeralRequest(scope=SCOPE, typing=event_pb2.TypingChanged())
    error = await failure(guarded.PublishEphemeral(typing, metadata=AUTHORIZED))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    append = pb.AppendRequest(scope=SCOPE, events=[event_pb2.Event()])
    error = await failure(guarded.Append(append, metadata=AUTHORIZED))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    response = await guarded.Append(append, metadata=(("authorization", "Bearer service"),))
    assert response.cursor == "services/dispatcher"
