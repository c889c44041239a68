"""Security events, through the service that keeps them."""

from typing import TYPE_CHECKING

from antiphon.auth.v1 import audit_pb2, audit_service_pb2
from antiphon.auth.v1.access_pb2 import Role
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.runtime.error_table import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceAsyncStub

TIMEOUT_S = 10.0


class AuditServiceRoles:
    """A :class:`~antiphon_server.context.ports.RoleAudit` through the AuditService."""

    def __init__(self, audit: "AuditServiceAsyncStub") -> None:
        self._audit = audit

    async def role_changed(self, change: RoleChange) -> None:
        """See :meth:`RoleAudit.role_changed`."""
        detail = audit_pb2.RoleChanged(
            resource=change.resource,
            before=Role.ValueType(change.before.value),
            after=Role.ValueType(change.after.value),
        )
        event = audit_pb2.SecurityEvent(
            actor=change.by.actor,
            session_id=change.by.session_id,
            user_id=change.user_id,
            role_changed=detail,
        )
        request = audit_service_pb2.RecordSecurityEventsRequest(events=[event])
        with remote_errors():
            await self._audit.RecordSecurityEvents(request, timeout=TIMEOUT_S)
