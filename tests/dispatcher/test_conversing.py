"""A Converse stream: messages that break a rule, and a log that ends under it."""

from typing import Any

import grpc
import pytest

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import (
    DispatcherServiceStub,
    add_DispatcherServiceServicer_to_server,
)
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceServicer,
    add_EventServiceServicer_to_server,
)
from antiphon_server.dispatcher.adapters.openings import ContextOpenings
from antiphon_server.dispatcher.calls import Caller
from antiphon_server.dispatcher.conversing import Conversings
from antiphon_server.dispatcher.servicer import DispatcherServicer
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.log import EventLog
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.rpc.methods import MethodInterceptor
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.world import Open
from tests.e2e.refusals import Refused, reason_in
from tests.fakes.slow_opening import SlowOpening

Servicer: Any = EventServiceServicer  # its types ask for every method at once
Nobody: Any = None
CALLER = Principal("user", UserId("user_anna0000"), SessionId("sess_1"))
SUBSCRIBE = pb.ConverseRequest()
SUBSCRIBE.subscribe.watch_id = "w"
SUBSCRIBE.subscribe.scope = "conversations/conv_00000001"


class DrainingEvents(Servicer):  # type: ignore[misc]
    """Takes no more streams in: the server is about to stop."""

    async def Subscribe(self, requests: Any, context: Any) -> None:
        raise DomainError(Reason.DRAINING, retry_after=1.0)


class Sessions(Open):
    """Tokens are good while ``live``; which were ``asked`` about."""

    def __init__(self, *, live: bool = True) -> None:
        self.live = live
        self.asked: set[str] = set()

    async def verify(self, access_token: str) -> Principal:
        self.asked.add(access_token)
        if not self.live:
            raise DomainError(Reason.SESSION_REVOKED)
        return CALLER


def served(
    log: Any, *guards: MethodInterceptor, calls: Any = Nobody, sessions: Any = Nobody
) -> Any:
    """A stub of a dispatcher on that servicer of a log."""
    events, server = LocalServer([ErrorInterceptor()]), LocalServer([ErrorInterceptor(), *guards])
    add_EventServiceServicer_to_server(log, events)
    openings = ContextOpenings(Nobody, sessions, Nobody)  # nothing is made here
    conversings = Conversings(calls, sessions, openings, events.channel(), Shares())
    servicer = DispatcherServicer(Nobody, Nobody, conversings, openings, Nobody, Nobody)
    add_DispatcherServiceServicer_to_server(servicer, server)
    return DispatcherServiceStub(server.channel())


@pytest.fixture
def log(database: Database) -> EventServicer:
    """That of an empty log."""
    return EventServicer(EventLog(SqlLogStore(database)), Subscriptions(Sessions(), Shares()))


async def test_a_log_that_drains_ends_the_stream_as_draining() -> None:
    """Whoever asks for a watch in this moment is told to come again, not of a defect."""
    dispatcher = served(DrainingEvents())
    for _ in range(20):
        with Refused(Reason.DRAINING):
            await dispatcher.Converse(iter([SUBSCRIBE] * 3)).read()


async def test_a_message_that_breaks_a_rule_is_answered_and_the_stream_goes_on(
    log: EventServicer,
) -> None:
    """Each message is checked on its own; the answer has its tag."""
    call = served(log, ValidationInterceptor()).Converse()
    for tag in ("1", "2" * 1000):
        bad = pb.ConverseRequest(tag=tag)
        bad.post.conversation_id = "nonsense"
        await call.write(bad)
        answer = await call.read()
        assert answer.error.tag == tag[:64]
        assert answer.error.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert call.cancel()


async def test_a_session_that_has_ended_commands_nothing_more(log: EventServicer) -> None:
    """Each message is refused from then on, also before the stream is told to end."""
    sessions = Sessions()
    stub = served(log, CallerInterceptor(CALLER), sessions=sessions)
    call = stub.Converse(metadata=(("authorization", "Bearer good until then"),))
    await call.write(SUBSCRIBE)
    assert (await call.read()).WhichOneof("frame") == "created"
    sessions.live = False
    commands = [pb.ConverseRequest(tag="1"), pb.ConverseRequest(tag="2")]
    commands[0].post.conversation_id = "conv_00000001"
    commands[1].cancel.conversation_id, commands[1].cancel.turn_id = "conv_00000001", "turn_1"
    for command in commands:
        await call.write(command)
        answer = await call.read()
        assert (answer.error.tag, reason_in(answer.error.error)) == (command.tag, "SESSION_REVOKED")
    assert call.cancel()


async def test_a_session_that_ends_while_the_stream_opens_commands_nothing(
    log: EventServicer,
) -> None:
    """The token is asked about again once the client lets the stream open."""
    slow, sessions = SlowOpening(), Sessions(live=False)
    stub = served(log, CallerInterceptor(CALLER), slow, sessions=sessions)
    post = pb.ConverseRequest()
    post.post.conversation_id = "conv_00000001"
    call = stub.Converse(iter([post]), metadata=(("authorization", "Bearer good until then"),))
    slow.go.set()
    with Refused(Reason.SESSION_REVOKED):
        await call.read()
    assert sessions.asked == {"good until then"}


async def test_a_call_on_the_stream_belongs_to_its_trace(log: EventServicer) -> None:
    """Before and after a refresh, which brings other credentials."""
    callers: list[dict[str, str | bytes]] = []

    class Calls:
        async def dispatch(self, request: pb.DispatchRequest, caller: Caller) -> Any:
            callers.append(dict(caller.metadata))
            return pb.DispatchResponse()

    stub = served(log, CallerInterceptor(CALLER), calls=Calls(), sessions=Sessions())
    brought = (("authorization", "Bearer 1"), ("traceparent", "00-1-1-01"), ("cookie", "no"))
    call = stub.Converse(metadata=brought)
    post, refresh = pb.ConverseRequest(), pb.ConverseRequest()
    post.post.conversation_id = "conv_00000001"
    refresh.refresh.access_token = "2"
    for request in (post, refresh, post):
        await call.write(request)
    for _ in range(2):
        assert (await call.read()).WhichOneof("frame") == "accepted"
    assert callers == [
        {"authorization": f"Bearer {token}", "traceparent": "00-1-1-01"} for token in (1, 2)
    ]
    assert call.cancel()
