"""Security events, through the service that keeps them."""

from typing import TYPE_CHECKING

from antiphon.auth.v1 import audit_pb2
from antiphon.auth.v1.access_pb2 import Role as RoleNumber
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.context.adapters.changes_codec import decoded
from antiphon_server.context.model.changes import EncodedEntry
from antiphon_server.context.model.erasure_tasks import ErasureBegun
from antiphon_server.context.model.erasures import MessagesErased
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceAsyncStub

TIMEOUT_S = 10.0


class AuditServiceRoles:
    """A :class:`~antiphon_server.context.ports.RoleAudit` through the AuditService."""

    def __init__(self, audit: "AuditServiceAsyncStub") -> None:
        self._audit = audit

    async def role_changed(self, change: EncodedEntry) -> None:
        request = decoded(RecordSecurityEventsRequest, change)
        with remote_errors("auth"):
            await self._audit.RecordSecurityEvents(request, timeout=TIMEOUT_S)


def record_request(
    change: RoleChange | MessagesErased | ErasureBegun,
) -> RecordSecurityEventsRequest:
    """Encode a change: it is kept in the outbox as the request that tells it."""
    if isinstance(change, ErasureBegun):
        return _begun_request(change)
    if isinstance(change, MessagesErased):
        return _erased_request(change)
    detail = audit_pb2.RoleChanged(
        resource=change.resource,
        before=RoleNumber.ValueType(change.before.value),
        after=RoleNumber.ValueType(change.after.value),
    )
    event = audit_pb2.SecurityEvent(
        actor=change.actor,
        session_id=change.session_id,
        address=change.address,
        user_id=change.user_id,
        role_changed=detail,
    )
    return RecordSecurityEventsRequest(events=[event], request_id=change.entry_id)


def _erased_request(change: MessagesErased) -> RecordSecurityEventsRequest:
    detail = audit_pb2.MessagesErased(
        resource=f"conversations/{change.conversation_id}",
        message_ids=change.message_ids,
        answers=change.answers,
    )
    event = audit_pb2.SecurityEvent(
        actor=change.actor,
        session_id=change.session_id,
        address=change.address,
        messages_erased=detail,
    )
    return RecordSecurityEventsRequest(events=[event], request_id=change.entry_id)


def _begun_request(change: ErasureBegun) -> RecordSecurityEventsRequest:
    event = audit_pb2.SecurityEvent(
        actor=change.actor,
        session_id=change.session_id,
        address=change.address,
        erasure_begun=audit_pb2.ErasureBegun(resource=change.resource),
    )
    return RecordSecurityEventsRequest(events=[event], request_id=change.entry_id)
