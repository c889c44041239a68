"""Where settings of conversations and names of workspaces are in the contract's events."""

from antiphon.events.v1 import event_pb2
from antiphon_server.events.model import NewEvent, Record, Scope
from antiphon_server.events.wire import scoped

_WHITEBOARD = "whiteboard_changed"
_CONVERSATIONS = (
    *("conversation_created", "conversation_updated"),
    *("conversation_archived", "conversation_unarchived"),
)
_WORDS = ("title", "instructions", "labels")


class EventSettings:
    """A :class:`~antiphon_server.events.settings_erasing.Settings` of the contract's events."""

    kinds = (
        event_pb2.EVENT_KIND_CONVERSATION_CREATED,
        event_pb2.EVENT_KIND_CONVERSATION_UPDATED,
        event_pb2.EVENT_KIND_CONVERSATION_ARCHIVED,
        event_pb2.EVENT_KIND_CONVERSATION_UNARCHIVED,
        event_pb2.EVENT_KIND_WHITEBOARD_CHANGED,
        event_pb2.EVENT_KIND_WORKSPACE_UPDATED,
    )

    def without_settings(self, kind: int, body: bytes) -> bytes:
        event = event_pb2.Event.FromString(body)
        return event.SerializeToString() if _take(event) else body

    def has_settings(self, record: Record) -> bool:
        return _take(event_pb2.Event.FromString(record.wire))

    def told(self, scope: Scope, actor: str, of: Scope) -> NewEvent:
        kind, _, own = of.partition("/")
        what = event_pb2.MessagesErased(
            conversation_id=own if kind == "conversations" else "",
            workspace_id=own if kind == "workspaces" else "",
        )
        event = event_pb2.Event(actor=actor, messages_erased=what)
        body = scoped(event.SerializeToString(deterministic=True), scope)
        return NewEvent(event_pb2.EVENT_KIND_MESSAGES_ERASED, "", body)


def _take(event: event_pb2.Event) -> bool:
    """Take them away; whether there were any."""
    payload = event.WhichOneof("payload")
    if payload == _WHITEBOARD:
        had = bool(event.whiteboard_changed.section)
        event.whiteboard_changed.section = ""
    elif payload == "workspace_updated":
        had = bool(event.workspace_updated.workspace.display_name)
        event.workspace_updated.workspace.display_name = ""
    elif payload in _CONVERSATIONS and payload is not None:
        conversation = getattr(event, payload).conversation
        had = any(getattr(conversation, it) for it in _WORDS)
        for name in _WORDS:
            conversation.ClearField(name)
    else:
        return False
    event.erased = event.erased or had
    return had
