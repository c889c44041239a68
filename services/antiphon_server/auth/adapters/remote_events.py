"""Security events, recorded by the service that keeps them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.auth import audit_encoding
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceAsyncStub

TIMEOUT_S = 5.0
MOST_AT_ONCE = 100


class RemoteSecurityEvents:
    """:class:`~antiphon_server.auth.ports.security_events.SecurityEvents` by the AuditService."""

    def __init__(self, audit: "AuditServiceAsyncStub") -> None:
        self._audit = audit

    async def record(self, *events: SecurityEvent, key: str = "") -> None:
        key = key or new_id("req")
        for number, piece in enumerate(_pieces(events)):
            request = RecordSecurityEventsRequest(
                events=map(audit_encoding.reported, piece), request_id=f"{key}.{number}"
            )
            with remote_errors("auth"):
                await self._audit.RecordSecurityEvents(request, timeout=TIMEOUT_S)


def _pieces(events: Sequence[SecurityEvent]) -> list[Sequence[SecurityEvent]]:
    return [events[at : at + MOST_AT_ONCE] for at in range(0, len(events), MOST_AT_ONCE)]
