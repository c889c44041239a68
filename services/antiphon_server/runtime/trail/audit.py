"""The audit trail, through the service that keeps it."""

from typing import TYPE_CHECKING

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.trail.model import Entry

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceAsyncStub

TIMEOUT_S = 10.0


class AuditServiceTrail:
    """A :class:`~antiphon_server.runtime.trail.ports.SecurityTrail` by the AuditService."""

    def __init__(self, audit: "AuditServiceAsyncStub") -> None:
        self._audit = audit

    async def record(self, entry: Entry) -> None:
        """See :meth:`SecurityTrail.record`."""
        request = RecordSecurityEventsRequest.FromString(entry.body)
        with remote_errors("auth"):
            await self._audit.RecordSecurityEvents(request, timeout=TIMEOUT_S)
