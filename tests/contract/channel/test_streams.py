"""Streams of both kinds of channel, in every direction."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf import wrappers_pb2

from antiphon.events.v1 import event_service_pb2 as pb
from tests.contract.channel.world import COUNT, FOLLOW, Events, failure, head, subscribe
from tests.e2e.until import SOON_S


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
    await asyncio.wait_for(events.ended.wait(), SOON_S)


async def test_closing_the_channel_ends_its_streams(
    stub: Any, channel: grpc.aio.Channel, events: Events
) -> None:
    """Open streams end and new calls are refused."""
    call = stub.Subscribe()
    await call.write(subscribe("a"))
    await call.read()
    await channel.close()
    await asyncio.wait_for(events.ended.wait(), SOON_S)
    with pytest.raises((grpc.aio.UsageError, asyncio.CancelledError, grpc.aio.AioRpcError)):
        await stub.GetHead(head())
