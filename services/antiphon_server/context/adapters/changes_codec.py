"""What the log is told, as the request that tells it: kept in the outbox in this form."""

from typing import assert_never

from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon_server.context import encoding
from antiphon_server.context.model.changes import (
    Change,
    ConversationArchived,
    ConversationCreated,
    ConversationUpdated,
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    OutboxEntry,
    Scope,
    WorkspaceUpdated,
)
from antiphon_server.context.model.resources import ResourceId
from antiphon_server.runtime.access.principal import UserId


def append_request(entry: OutboxEntry) -> event_service_pb2.AppendRequest:
    """Encode an entry."""
    return event_service_pb2.AppendRequest(
        scope=entry.scope,
        request_id=entry.entry_id,
        events=[_event(entry.actor, change) for change in entry.changes],
    )


def entry_of(request: event_service_pb2.AppendRequest) -> OutboxEntry:
    """Decode an entry that :func:`append_request` encoded."""
    changes = tuple(_change(event) for event in request.events)
    return OutboxEntry(request.request_id, Scope(request.scope), request.events[0].actor, changes)


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


def _change(event: event_pb2.Event) -> Change:
    match event.WhichOneof("payload"):
        case "conversation_created":
            created = event.conversation_created.conversation
            return ConversationCreated(encoding.conversation_of(created))
        case "conversation_updated":
            updated = event.conversation_updated.conversation
            return ConversationUpdated(encoding.conversation_of(updated))
        case "conversation_archived":
            archived = event.conversation_archived.conversation
            return ConversationArchived(encoding.conversation_of(archived))
        case "workspace_updated":
            return WorkspaceUpdated(encoding.workspace_of(event.workspace_updated.workspace))
        case "member_added":
            return MemberAdded(encoding.member_of(event.member_added.member))
        case "member_updated":
            return MemberUpdated(encoding.member_of(event.member_updated.member))
        case "member_removed":
            removed = event.member_removed
            return MemberRemoved(ResourceId(removed.resource), UserId(removed.user_id))
        case other:
            raise ValueError(f"not a change of this service: {other}")
