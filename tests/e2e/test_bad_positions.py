"""Cursors and page tokens that were not issued for what they are used for."""

import base64
from typing import Any

import grpc
import pytest

from antiphon.auth.v1 import access_pb2
from antiphon.events.v1 import event_service_pb2 as events_pb
from antiphon.events.v1 import stream_pb2
from tests.e2e.callers import Caller
from tests.e2e.calls import Calls, new_conversation
from tests.e2e.contracts import Rpc, every_rpc
from tests.e2e.refusals import reason_in, refused
from tests.e2e.smallest import smallest

pytestmark = pytest.mark.asyncio(loop_scope="module")
EARLIEST = stream_pb2.START_POSITION_EARLIEST


def _cursors(good: str) -> list[str]:
    return ["nonsense", "ä" * 20, good[:-1], good + "0", good[::-1], "x" * 256]


async def test_bad_cursors_are_refused(call: Calls, anna: Caller) -> None:
    """A cursor that was not issued for this log is refused, be it another log's."""
    head, other = await call.head(), await (await new_conversation(call.channel, anna)).head()
    for cursor in [*_cursors(head.cursor), other.cursor]:
        request = events_pb.ReadEventsRequest(scope=call.scope, cursor=cursor)
        reason = await refused(call(call.events.ReadEvents, request))
        assert reason in ("CURSOR_INVALID", "EPOCH_CHANGED"), cursor


async def test_a_bad_cursor_ends_its_watch_alone(call: Calls) -> None:
    """On a stream a bad cursor ends its watch with the reason; the others go on."""
    request = events_pb.FollowRequest(
        watches=[
            stream_pb2.Watch(watch_id="bad", scope=call.scope, cursor="nonsense"),
            stream_pb2.Watch(watch_id="good", scope=call.scope, start=EARLIEST),
        ]
    )
    ended, batch = None, None
    stream = call.events.Follow(request, metadata=call.caller.metadata, timeout=10)
    while ended is None or batch is None:
        frame = await stream.read()
        assert isinstance(frame, events_pb.FollowResponse)
        ended = frame.ended if frame.HasField("ended") else ended
        batch = frame.batch if frame.HasField("batch") else batch
    stream.cancel()
    assert (ended.watch_id, reason_in(ended.error)) == ("bad", "CURSOR_INVALID")
    assert ended.reason == stream_pb2.CLOSE_REASON_REJECTED
    assert batch.watch_id == "good"


FOREIGN = ["nonsense", "ä", "!", "YQ", "_w", "YQBi", "eAB5", "LTU", "LTEAeA", "NQA1", "bm9uc2Vuc2U"]
FOREIGN += [base64.b64encode(it).decode() for it in (b"\0\0\0", b"1" * 40, b"9" * 22 + b"\0x")]
LISTS = [
    rpc
    for rpc in every_rpc()
    if "page_token" in rpc.method.input_type.fields_by_name
    and rpc.access.permission != access_pb2.PERMISSION_INTERNAL
]


@pytest.mark.parametrize("rpc", LISTS, ids=[rpc.path for rpc in LISTS])
async def test_bad_page_tokens_are_refused(
    rpc: Rpc, channel: grpc.aio.Channel, boss: Caller
) -> None:
    """A page token that was not issued is refused; so is a page of less than nothing."""
    request: Any = smallest(rpc.request_type, boss.known, rpc.access.resource_field)
    for token in FOREIGN:
        request.page_token = token
        assert await refused(rpc.call(channel, request, boss.token)) == "PAGE_TOKEN_INVALID"
    request.page_token, request.page_size = "", -1
    assert await refused(rpc.call(channel, request, boss.token)) == "INVALID_ARGUMENT"
