"""The event log as the auth service sees it."""

import logging
from typing import TYPE_CHECKING

import grpc

from antiphon.events.v1.event_pb2 import Event, SessionRevoked
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.auth.service.security_events import AUTH
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

TIMEOUT = 5.0  # seconds
log = logging.getLogger(__name__)


class EventLog:
    """A :class:`~antiphon_server.auth.ports.SessionEvents` by the EventService.

    The stub's channel carries this service's own token.
    """

    def __init__(self, stub: "EventServiceAsyncStub") -> None:
        self._stub = stub

    async def session_revoked(self, user_id: UserId, session_id: SessionId) -> bool:
        revoked = SessionRevoked(session_id=session_id)
        request = AppendRequest(
            scope=f"users/{user_id}",
            events=[Event(actor=AUTH, session_revoked=revoked)],
            request_id=f"session-revoked/{session_id}",
        )
        try:
            with remote_errors("events"):
                await self._stub.Append(request, timeout=TIMEOUT)
        except (DomainError, grpc.aio.UsageError) as error:
            log.warning("a session's end could not be told yet: %s", error)
            return False
        return True
