"""What events tell of a conversation or a workspace as a whole: in its own log, and in others."""

from antiphon.events.v1 import event_pb2

_PAYLOADS = {
    event_pb2.EVENT_KIND_CONVERSATION_CREATED: "conversation_created",
    event_pb2.EVENT_KIND_CONVERSATION_UPDATED: "conversation_updated",
    event_pb2.EVENT_KIND_CONVERSATION_ARCHIVED: "conversation_archived",
    event_pb2.EVENT_KIND_CONVERSATION_UNARCHIVED: "conversation_unarchived",
}
_WORKSPACE_UPDATED = event_pb2.EVENT_KIND_WORKSPACE_UPDATED
KINDS = frozenset({*_PAYLOADS, _WORKSPACE_UPDATED})
PAYLOADS = frozenset(_PAYLOADS.values())


def told_of(kind: int, body: bytes) -> str:
    """The conversation or workspace of which a serialised event tells; "" if it tells of none."""
    if kind == _WORKSPACE_UPDATED:
        return event_pb2.Event.FromString(body).workspace_updated.workspace.workspace_id
    payload = _PAYLOADS.get(event_pb2.EventKind.ValueType(kind))
    if payload is None:
        return ""
    its_id: str = getattr(event_pb2.Event.FromString(body), payload).conversation.conversation_id
    return its_id
