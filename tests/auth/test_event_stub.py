"""The end of a session reaches the event log through its contract."""

from typing import Any

import pytest

from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon.events.v1.event_service_pb2 import AppendRequest, AppendResponse
from antiphon_server.auth.adapters.event_stub import EventLog
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor

USER, SESSION = UserId("user_00000001"), SessionId("sess_00000001")


class Recorder(stubs.EventServiceServicer):
    """An event log that notes what it is asked, or is out of order."""

    def __init__(self) -> None:
        self.asked: list[AppendRequest] = []
        self.error: Exception | None = None

    async def Append(self, request: AppendRequest, context: Any) -> AppendResponse:
        """Note the request."""
        if self.error:
            raise self.error
        self.asked.append(request)
        return AppendResponse(first_offset=1, last_offset=1)


@pytest.fixture
def recorder() -> Recorder:
    """The other service."""
    return Recorder()  # type: ignore[abstract]  # what else it could be asked is not


@pytest.fixture
def events(recorder: Recorder) -> EventLog:
    """What the auth service uses, on a local channel."""
    server = LocalServer([ErrorInterceptor(), ValidationInterceptor()])
    stubs.add_EventServiceServicer_to_server(recorder, server)
    return EventLog(stubs.EventServiceStub(server.channel()))


async def test_the_users_own_log_is_told(recorder: Recorder, events: EventLog) -> None:
    """One event, with a request id that makes telling twice harmless."""
    assert await events.session_revoked(USER, SESSION)
    (request,) = recorder.asked
    assert (request.scope, request.request_id) == (f"users/{USER}", f"session-revoked/{SESSION}")
    (event,) = request.events
    assert event.session_revoked.session_id == SESSION
    assert event.actor == "services/auth"


@pytest.mark.parametrize(
    "error", [DomainError(Reason.STORE_UNAVAILABLE), ValueError("canary"), NotImplementedError()]
)
async def test_a_log_out_of_order_is_no_exception(
    recorder: Recorder, events: EventLog, error: Exception
) -> None:
    """It only says that nothing was told."""
    recorder.error = error
    assert not await events.session_revoked(USER, SESSION)


async def test_a_closed_channel_is_no_exception() -> None:
    """While the process stops, an end is left to be told at the next start."""
    channel = LocalServer().channel()
    await channel.close()
    assert not await EventLog(stubs.EventServiceStub(channel)).session_revoked(USER, SESSION)
