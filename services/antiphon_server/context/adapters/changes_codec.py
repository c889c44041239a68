"""What the log is told, as the request that tells it: kept in the outbox in this form."""

from typing import TypeVar, assert_never

from google.protobuf.message import DecodeError, Message

from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon_server.context import encoding
from antiphon_server.context.model.changes import (
    Change,
    ConversationArchived,
    ConversationCreated,
    ConversationUpdated,
    EncodedEntry,
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    OutboxEntry,
    WorkspaceUpdated,
)
from antiphon_server.runtime.errors import invalid

RequestT = TypeVar("RequestT", bound=Message)


def append_request(entry: OutboxEntry) -> event_service_pb2.AppendRequest:
    """Encode an entry."""
    return event_service_pb2.AppendRequest(
        scope=entry.scope,
        request_id=entry.entry_id,
        events=[_event(entry.actor, change) for change in entry.changes],
    )


def decoded(kind: type[RequestT], entry: EncodedEntry) -> RequestT:
    """What is told of an entry, with all that a newer server has put there.

    Raises DomainError INVALID_ARGUMENT if it is damaged.
    """
    try:
        return kind.FromString(entry.body)
    except DecodeError:
        raise invalid("body", f"entry {entry.entry_id} can't be decoded") from None


def _event(actor: str, change: Change) -> event_pb2.Event:
    event = event_pb2.Event(actor=actor)
    match change:
        case ConversationCreated(conversation):
            event.conversation_created.conversation.CopyFrom(encoding.conversation(conversation))
        case ConversationUpdated(conversation):
            event.conversation_updated.conversation.CopyFrom(encoding.conversation(conversation))
        case ConversationArchived(conversation):
            event.conversation_archived.conversation.CopyFrom(encoding.conversation(conversation))
        case WorkspaceUpdated(workspace):
            event.workspace_updated.workspace.CopyFrom(encoding.workspace(workspace))
        case MemberAdded(member):
            event.member_added.member.CopyFrom(encoding.member(member))
        case MemberUpdated(member):
            event.member_updated.member.CopyFrom(encoding.member(member))
        case MemberRemoved(resource, user_id):
            event.member_removed.resource = resource
            event.member_removed.user_id = user_id
        case _:
            assert_never(change)
    return event
