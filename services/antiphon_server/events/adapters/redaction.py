"""What is left of events whose words are erased: what happened, and to what.

For each kind the fields are named that stay. Of a kind that this version does not know nothing
stays but that it was one, and of what a known one has that this version does not know neither.
"""

from collections.abc import Collection, Mapping
from typing import Any

from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from antiphon.events.v1 import event_pb2
from antiphon_server.events.adapters.conversations import PAYLOADS
from antiphon_server.events.erasing import Trace
from antiphon_server.events.model import NewEvent, Record, Scope
from antiphon_server.events.wire import scoped
from antiphon_server.runtime.encoding.wire_format import sized, varint

_MESSAGE = "message_posted"
_DELTA = "text_delta_appended"
_KEPT: Mapping[str, Collection[str]] = {
    "turn_accepted": {"handler", "message_id", "policy", "parent_turn_id", "route"},
    "turn_queued": {"ahead"},
    "turn_started": {"handler", "reply_message_id", "route"},
    "turn_assigned": {"worker_id", "deployment", "version"},
    "turn_progressed": {"fraction"},
    "turn_finished": set(event_pb2.TurnFinished.DESCRIPTOR.fields_by_name),
    "tool_call_proposed": {"tool_call_id", "tool", "asks", "step", "position", "tool_sha256"},
    "tool_call_decided": {"tool_call_id", "approved"},
    "tool_call_question_asked": {"tool_call_id", "expire_time", "asked_of"},
    "tool_call_question_answered": {"tool_call_id"},
    "tool_call_started": {"tool_call_id", "tool"},
    "tool_call_finished": {"tool_call_id", "error", "outcome", "duration_ms"},
    "turn_handed_off": {"handoff"},
    "handoff_claim_changed": {"handoff_id", "claimed_by"},
    "handoff_ended": {"handoff_id", "end", "handler", "asked_mac"},
    "content_screened": {"screening"},
}
_OF_MESSAGE = {"message_id", "conversation_id", "role", "author", "turn_id", "truncated", "aside"}
_OF_HANDOFF = {
    *("handoff_id", "role", "asked_by", "create_time", "expire_time"),
    *("claimed_by", "claim_time", "held_for"),
}
_OF_EVENT = {"actor", "turn_id", "attempt", "output"}
_SCOPE_FIELD = "scope"
_CALLS = ("tool_call_proposed", "tool_call_started", "tool_call_finished")
_TRACED = (
    event_pb2.EVENT_KIND_MESSAGE_POSTED,
    event_pb2.EVENT_KIND_TURN_ACCEPTED,
    event_pb2.EVENT_KIND_TURN_FINISHED,
    event_pb2.EVENT_KIND_TOOL_CALL_PROPOSED,
    event_pb2.EVENT_KIND_TOOL_CALL_STARTED,
    event_pb2.EVENT_KIND_TOOL_CALL_FINISHED,
)


class EventWords:
    """A :class:`~antiphon_server.events.erasing.Words` of the contract's events."""

    kinds = _TRACED

    def trace_of(self, record: Record) -> Trace:
        return _trace_of(record)

    def without_words(self, kind: int, body: bytes, message_ids: Collection[str]) -> bytes:
        return _without_words(kind, body, message_ids)

    def messages_erased(
        self, scope: Scope, actor: str, message_ids: Collection[str], turn_ids: Collection[str]
    ) -> NewEvent:
        what = event_pb2.MessagesErased(message_ids=message_ids, turn_ids=turn_ids)
        event = event_pb2.Event(actor=actor, messages_erased=what)
        body = scoped(event.SerializeToString(deterministic=True), scope)
        return NewEvent(event_pb2.EVENT_KIND_MESSAGES_ERASED, "", body)

    def titles_erased(self, scope: Scope, actor: str, conversation_id: str) -> NewEvent:
        what = event_pb2.MessagesErased(conversation_id=conversation_id)
        event = event_pb2.Event(actor=actor, messages_erased=what)
        body = scoped(event.SerializeToString(deterministic=True), scope)
        return NewEvent(event_pb2.EVENT_KIND_MESSAGES_ERASED, "", body)

    def title_of(self, record: Record) -> tuple[str, str]:
        event = event_pb2.Event.FromString(record.wire)
        payload = event.WhichOneof("payload")
        if payload not in PAYLOADS or payload is None:
            return "", ""
        conversation = getattr(event, payload).conversation
        return conversation.title, conversation.title_author


def _trace_of(record: Record) -> Trace:
    event = event_pb2.Event.FromString(record.wire)
    payload = event.WhichOneof("payload")
    call_id = getattr(event, payload).tool_call_id if payload in _CALLS and payload else ""
    return Trace(
        event.turn_id,
        record.last,
        event.turn_accepted.parent_turn_id,
        event.message_posted.message.message_id,
        call_id,
        begins=payload == "turn_accepted",
        ends=payload == "turn_finished",
    )


def _without_words(kind: int, body: bytes, message_ids: Collection[str]) -> bytes:
    event = event_pb2.Event.FromString(body)
    payload = event.WhichOneof("payload")
    if payload == _MESSAGE and event.message_posted.message.message_id not in message_ids:
        return body
    if payload == _DELTA and event.text_delta_appended.message_id not in message_ids:
        return body
    left = event_pb2.Event(erased=True)
    _copy(event, left, {*_OF_EVENT, _SCOPE_FIELD})
    if payload is None:
        return left.SerializeToString() + varint(kind << 3 | 2) + sized(b"")
    _leave(payload, getattr(event, payload), getattr(left, payload))
    return left.SerializeToString()


def _leave(payload: str, before: Any, left: Any) -> None:
    """Put into ``left`` what stays of the payload."""
    left.SetInParent()
    if payload == _MESSAGE:
        _copy(before.message, left.message, _OF_MESSAGE)
        left.message.erased = True
        return
    if payload in PAYLOADS:
        left.CopyFrom(before)
        left.conversation.ClearField("title")
        return
    _copy(before, left, _KEPT.get(payload, ()))
    match payload:
        case "turn_finished" | "tool_call_finished":
            _keep_reason(left)
        case "turn_handed_off":
            left.handoff.Clear()
            _copy(before.handoff, left.handoff, _OF_HANDOFF)
        case "text_delta_appended":
            left.message_id, left.position = before.message_id, before.position
        case "tool_call_question_asked":
            left.question.question_id = before.question.question_id
        case "tool_call_question_answered":
            left.answer.question_id = before.answer.question_id
            left.answer.action = before.answer.action


def _keep_reason(left: Any) -> None:
    """Of an error which one it was, and none of what it quotes."""
    if not left.HasField("error"):
        return
    kept = status_pb2.Status(code=left.error.code)
    info = error_details_pb2.ErrorInfo()
    for detail in left.error.details:
        if detail.Unpack(info):
            only = error_details_pb2.ErrorInfo(reason=info.reason, domain=info.domain)
            kept.details.add().Pack(only)
    left.error.CopyFrom(kept)


def _copy(source: Message, target: Message, names: Collection[str]) -> None:
    """Those fields that are set; none that stays is a map."""
    for field, value in source.ListFields():
        if field.name not in names:
            continue
        if field.is_repeated:
            getattr(target, field.name).extend(value)
        elif field.message_type is not None:
            getattr(target, field.name).CopyFrom(value)
        else:
            setattr(target, field.name, value)
