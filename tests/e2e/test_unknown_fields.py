"""What the contract does not know of a request is nobody's to keep or to pass on."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import pytest
from google.protobuf.message import Message

from antiphon.context.v1 import context_service_pb2 as context_pb
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher_pb
from antiphon.events.v1 import event_pb2, stream_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon_server.runtime.encoding.wire_format import sized, sized_tag
from tests.e2e.calls import Calls

pytestmark = pytest.mark.asyncio(loop_scope="module")

T = TypeVar("T", bound=Message)
NEARLY_4_MIB = 4 * 1024 * 1024 - 200


def _stuffed(message: T, size: int) -> T:
    """The message with a field 111, of ``size`` bytes, that no contract has."""
    raw = message.SerializeToString() + sized_tag(111) + sized(b"x" * size)
    return type(message).FromString(raw)


async def _frames(stream: Any) -> AsyncIterator[Any]:
    while True:
        yield await stream.read()


async def test_a_stuffed_typing_event_is_an_ordinary_one(call: Calls) -> None:
    """Followers of the ephemeral get the contract's fields alone, and their streams go on."""
    watch = stream_pb2.Watch(watch_id="w", scope=call.scope, ephemeral=True)
    follow = call.events.Follow(
        pb.FollowRequest(watches=[watch]), metadata=call.caller.metadata, timeout=10
    )
    frames = _frames(follow)
    assert (await anext(frames)).HasField("created")
    for payload in (
        {"typing": _stuffed(event_pb2.TypingChanged(typing=True), NEARLY_4_MIB)},
        {"presence": _stuffed(event_pb2.PresenceChanged(present=True), NEARLY_4_MIB)},
    ):
        request: Any = pb.PublishEphemeralRequest(scope=call.scope, **payload)
        await call(call.events.PublishEphemeral, request)
        frame = await anext(frames)
        assert frame.batch.events[0].ephemeral
        assert frame.ByteSize() < 512
    await call(call.context.PostMessage, call.post("still there"))
    assert (await anext(frames)).batch.events[0].HasField("message_posted")
    follow.cancel()


async def test_a_stuffed_message_is_stored_without_it(call: Calls) -> None:
    """Neither a post nor its event has more than what the contract knows, by any way in."""
    post = call.post("hello")
    post.parts[0].CopyFrom(_stuffed(post.parts[0], 100_000))
    await call(call.context.PostMessage, _stuffed(post, 100_000))
    dispatch = call.dispatch("hello", turn_id="turn_00000001")
    dispatch.parts[0].CopyFrom(_stuffed(dispatch.parts[0], 100_000))
    conversing = call.dispatcher.Converse(metadata=call.caller.metadata, timeout=10)
    await conversing.write(dispatcher_pb.ConverseRequest(tag="t", post=dispatch))
    answer: Any = await conversing.read()
    assert answer.HasField("accepted")
    conversing.cancel()
    page = await call(call.events.ReadEvents, pb.ReadEventsRequest(scope=call.scope))
    listed = await call(
        call.context.ListMessages,
        context_pb.ListMessagesRequest(conversation_id=call.conversation_id),
    )
    posted = [it.message_posted.message for it in page.events if it.HasField("message_posted")]
    assert [message.parts[0].text for message in posted[:2]] == ["hello", "hello"]
    assert page.ByteSize() + listed.ByteSize() < 10_000
