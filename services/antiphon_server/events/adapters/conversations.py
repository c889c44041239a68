"""What events tell of a conversation as a whole: in its own log, and in those of its readers."""

from antiphon.events.v1 import event_pb2

_PAYLOADS = {
    event_pb2.EVENT_KIND_CONVERSATION_CREATED: "conversation_created",
    event_pb2.EVENT_KIND_CONVERSATION_UPDATED: "conversation_updated",
    event_pb2.EVENT_KIND_CONVERSATION_ARCHIVED: "conversation_archived",
    event_pb2.EVENT_KIND_CONVERSATION_UNARCHIVED: "conversation_unarchived",
}
KINDS = frozenset(_PAYLOADS)
PAYLOADS = frozenset(_PAYLOADS.values())


def told_of(kind: int, body: bytes) -> str:
    """The conversation of which a serialised event tells; "" if it tells of none."""
    payload = _PAYLOADS.get(event_pb2.EventKind.ValueType(kind))
    if payload is None:
        return ""
    its_id: str = getattr(event_pb2.Event.FromString(body), payload).conversation.conversation_id
    return its_id
