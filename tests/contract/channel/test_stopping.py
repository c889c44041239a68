"""Deadlines and cancellation of both kinds of channel."""

import asyncio
from typing import Any

import grpc
import pytest

from antiphon.events.v1 import event_service_pb2 as pb
from tests.contract.channel.world import FOLLOW, Events, failure, read, subscribe
from tests.e2e.until import SOON_S


async def test_deadline_of_a_unary_call(stub: Any, events: Events) -> None:
    """The caller gets DEADLINE_EXCEEDED, the handler is cancelled."""
    error = await failure(stub.ReadEvents(read(), timeout=0.1))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(events.ended.wait(), SOON_S)
    assert events.log == ["cancelled"]


async def test_deadline_of_a_stream(stub: Any, events: Events) -> None:
    """What came before the deadline was delivered, then the stream fails."""
    call = stub.Follow(pb.FollowRequest(follow_id="hangs", watches=FOLLOW.watches), timeout=0.3)
    assert [(await call.read()).WhichOneof("frame") for _ in range(2)] == ["progress", "created"]
    assert (await failure(call.read())).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(events.ended.wait(), SOON_S)


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
    await asyncio.wait_for(events.ended.wait(), SOON_S)
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
    await asyncio.wait_for(events.ended.wait(), SOON_S)


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
    await asyncio.wait_for(events.ended.wait(), SOON_S)
    assert await call.code() is grpc.StatusCode.CANCELLED
