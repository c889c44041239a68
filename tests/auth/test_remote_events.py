"""Security events that are kept by another process."""

from typing import Any

import grpc
import pytest

from antiphon.auth.v1.audit_service_pb2 import (
    RecordSecurityEventsRequest,
    RecordSecurityEventsResponse,
)
from antiphon.auth.v1.audit_service_pb2_grpc import (
    AuditServiceServicer,
    AuditServiceStub,
    add_AuditServiceServicer_to_server,
)
from antiphon_server.auth.adapters.remote_events import MOST_AT_ONCE, RemoteSecurityEvents
from antiphon_server.auth.model import security_events as happened
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor

Servicer: Any = AuditServiceServicer  # its types ask for every method at once


class Trail(Servicer):  # type: ignore[misc]
    """Keeps what it has no request of; ``losing`` answers are lost after that."""

    def __init__(self) -> None:
        self.kept: dict[str, RecordSecurityEventsRequest] = {}
        self.losing = 0

    async def RecordSecurityEvents(
        self, request: RecordSecurityEventsRequest, context: Any
    ) -> RecordSecurityEventsResponse:
        assert self.kept.setdefault(request.request_id, request) == request
        self.losing -= 1
        if self.losing == 0:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return RecordSecurityEventsResponse()

    @property
    def users(self) -> list[str]:
        """Of whom events are kept."""
        return [event.user_id for it in self.kept.values() for event in it.events]


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
def remote(trail: Trail) -> RemoteSecurityEvents:
    """What records there."""
    server = LocalServer([ErrorInterceptor()])
    add_AuditServiceServicer_to_server(trail, server)
    channel: grpc.aio.Channel = server.channel()
    return RemoteSecurityEvents(AuditServiceStub(channel))


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_what_is_told_again_is_kept_once(
    trail: Trail, remote: RemoteSecurityEvents, lost: int
) -> None:
    """Whichever answer got lost: of many events some requests have been taken by then."""
    users = [f"user_{number:08}" for number in range(2 * MOST_AT_ONCE + 1)]
    events = [SecurityEvent(happened.UserEnabled(), user, "users/x", "", "") for user in users]
    trail.losing = lost
    with pytest.raises(DomainError):
        await remote.record(*events, key="one")
    await remote.record(*events, key="one")
    assert trail.users == users
    await remote.record(*events)
    assert trail.users == users * 2
