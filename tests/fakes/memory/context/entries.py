"""What an outbox's entries say, read back."""

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon.context.v1 import conversation_pb2
from antiphon.events.v1 import event_pb2
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.context import encoding
from antiphon_server.context.adapters.changes_codec import decoded
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
    Scope,
    WorkspaceUpdated,
)
from antiphon_server.context.model.resources import Member, ResourceId, Role
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.runtime.access.principal import SessionId, UserId


def entry_of(entry: EncodedEntry) -> OutboxEntry:
    """An entry for the log."""
    request = decoded(AppendRequest, entry)
    changes = tuple(_change(event) for event in request.events)
    return OutboxEntry(request.request_id, Scope(request.scope), request.events[0].actor, changes)


def _change(event: event_pb2.Event) -> Change:
    """The change that an event tells."""
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
            return MemberAdded(_member_of(event.member_added.member))
        case "member_updated":
            return MemberUpdated(_member_of(event.member_updated.member))
        case "member_removed":
            removed = event.member_removed
            return MemberRemoved(ResourceId(removed.resource), UserId(removed.user_id))
        case other:
            raise ValueError(f"not a change of this service: {other}")


def role_change_of(entry: EncodedEntry) -> RoleChange:
    """An entry for the trail."""
    request = decoded(RecordSecurityEventsRequest, entry)
    (event,) = request.events
    detail = event.role_changed
    return RoleChange(
        entry_id=request.request_id,
        actor=event.actor,
        session_id=SessionId(event.session_id),
        address=event.address,
        resource=ResourceId(detail.resource),
        user_id=UserId(event.user_id),
        before=Role(detail.before),
        after=Role(detail.after),
    )


def _member_of(it: conversation_pb2.Member) -> Member:
    role, created = Role(it.role), encoding.microseconds(it.create_time)
    return Member(ResourceId(it.resource), UserId(it.user_id), role, created)
