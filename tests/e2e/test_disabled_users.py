"""A user who is disabled while streams of theirs are open."""

import asyncio
import time
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.auth.v1 import auth_pb2
from antiphon.auth.v1.auth_service_pb2 import UpdateUserRequest
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import Watch
from tests.e2e.callers import Caller, user
from tests.e2e.refusals import reason_in, reason_of
from tests.e2e.server import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
STREAMS = 20


async def end_of(stream: Any, opened: asyncio.Event) -> tuple[str, float]:
    """Why the stream ended, and when."""
    try:
        async for frame in stream:
            opened.set()
            if frame.HasField("ended") and not frame.ended.watch_id:
                return reason_in(frame.ended.error), time.monotonic()
    except grpc.aio.AioRpcError as error:
        return reason_of(error), time.monotonic()
    return "OK", time.monotonic()


async def test_their_streams_end(
    server: ServerProcess, channel: grpc.aio.Channel, boss: Caller
) -> None:
    """All of them, with the reason; and a new one is refused."""
    ann = await user(server, "disabled-ann")
    scope = f"conversations/{ann.known['conv']}"
    events = EventServiceStub(channel)
    request = pb.FollowRequest(watches=[Watch(scope=scope, watch_id="1")])
    ends, opened = [], [asyncio.Event() for _ in range(STREAMS)]
    for event in opened:
        stream = events.Follow(request, metadata=ann.metadata)
        ends.append(asyncio.create_task(end_of(stream, event)))
    async with asyncio.timeout(30):
        await asyncio.gather(*(event.wait() for event in opened))
    change = UpdateUserRequest(
        user_id=ann.known["user"],
        user=auth_pb2.User(disabled=True),
        update_mask=FieldMask(paths=["disabled"]),
    )
    began = time.monotonic()
    await AuthServiceStub(channel).UpdateUser(change, metadata=boss.metadata, timeout=30)
    async with asyncio.timeout(30):
        ended = await asyncio.gather(*ends)
    assert {reason for reason, _ in ended} == {"SESSION_REVOKED"}
    print(f"the last ended after {max(when for _, when in ended) - began:.3f} s")
    again = await end_of(events.Follow(request, metadata=ann.metadata), asyncio.Event())
    assert again[0] == "SESSION_REVOKED"
