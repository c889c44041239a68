"""Unary calls of both kinds of channel."""

import asyncio
from typing import Any

import grpc
import pytest

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import stream_pb2
from tests.contract.channel.world import FOLLOW, Events, head, read


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
