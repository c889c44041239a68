"""Cursors and page tokens that were not issued for what they are used for."""

import base64
from typing import Any

import pytest

from antiphon.context.v1 import context_service_pb2 as context_pb
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher_pb
from antiphon.events.v1 import event_service_pb2 as events_pb
from antiphon.events.v1 import stream_pb2
from tests.e2e.callers import Caller
from tests.e2e.calls import Calls, new_conversation
from tests.e2e.refusals import reason_in, refused

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


LISTS = [
    ("context", "ListMessages", context_pb.ListMessagesRequest),
    ("context", "ListConversations", context_pb.ListConversationsRequest),
    ("context", "ListWorkspaces", context_pb.ListWorkspacesRequest),
    ("dispatcher", "ListTurns", dispatcher_pb.ListTurnsRequest),
]


@pytest.mark.parametrize(("service", "method", "kind"), LISTS, ids=[it[1] for it in LISTS])
async def test_bad_page_tokens_are_refused(
    call: Calls, service: str, method: str, kind: Any
) -> None:
    """A page token that was not issued is refused; so is a page of less than nothing."""
    fields = kind.DESCRIPTOR.fields_by_name
    known = {"conversation_id": call.conversation_id} if "conversation_id" in fields else {}
    rpc = getattr(getattr(call, service), method)
    for token in ("nonsense", "ä", "AAAA", base64.b64encode(b"1" * 40).decode()):
        assert await refused(call(rpc, kind(page_token=token, **known))) == "PAGE_TOKEN_INVALID"
    assert await refused(call(rpc, kind(page_size=-1, **known))) == "INVALID_ARGUMENT"
