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
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.rpc.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.world import Open
from tests.e2e.refusals import reason_in
from tests.fakes.slow_opening import SlowOpening

Servicer: Any = EventServiceServicer  # its types ask for every method at once
Nobody: Any = None
SUBSCRIBE = pb.ConverseRequest()
SUBSCRIBE.subscribe.watch_id = "w"
SUBSCRIBE.subscribe.scope = "conversations/conv_00000001"


class DrainingEvents(Servicer):  # type: ignore[misc]
    """Takes no more streams in: the server is about to stop."""

    async def Subscribe(self, requests: Any, context: Any) -> None:
        raise DomainError(Reason.DRAINING, retry_after=1.0)


@pytest.fixture
def dispatcher() -> Any:
    """A stub of a dispatcher whose log drains."""
    events, served = (LocalServer([ErrorInterceptor()]) for _ in range(2))
    add_EventServiceServicer_to_server(DrainingEvents(), events)
    conversings = Conversings(Nobody, Nobody, events.channel())
    servicer = DispatcherServicer(Nobody, Nobody, conversings)
    add_DispatcherServiceServicer_to_server(servicer, served)
    return DispatcherServiceStub(served.channel())


async def test_a_log_that_drains_ends_the_stream_as_draining(dispatcher: Any) -> None:
    """Whoever asks for a watch in this moment is told to come again, not of a defect."""
    for _ in range(20):
        call = dispatcher.Converse(iter([SUBSCRIBE] * 3))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert domain_error_of(caught.value).reason is Reason.DRAINING


async def test_a_message_that_breaks_a_rule_is_answered_and_the_stream_goes_on(
    database: Database,
) -> None:
    """Each message is checked on its own; the answer has its tag."""
    events = LocalServer([ErrorInterceptor()])
    served = LocalServer([ErrorInterceptor(), ValidationInterceptor()])
    servicer = EventServicer(EventLog(SqlLogStore(database)), Subscriptions(Open()))
    add_EventServiceServicer_to_server(servicer, events)
    conversings = Conversings(Nobody, Nobody, events.channel())
    add_DispatcherServiceServicer_to_server(DispatcherServicer(Nobody, Nobody, conversings), served)
    call: Any = DispatcherServiceStub(served.channel()).Converse()
    for tag in ("1", "2" * 1000):
        bad = pb.ConverseRequest(tag=tag)
        bad.post.conversation_id = "nonsense"
        await call.write(bad)
        answer = await call.read()
        assert answer.error.tag == tag[:64]
        assert answer.error.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert call.cancel()


async def test_a_session_that_has_ended_commands_nothing_more(database: Database) -> None:
    """Each message is refused from then on, also before the stream is told to end."""

    class Sessions(Open):
        live = True

        async def verify(self, access_token: str) -> Principal:
            if not self.live:
                raise DomainError(Reason.SESSION_REVOKED)
            return anna

    anna, sessions = Principal("user", UserId("user_anna0000"), SessionId("sess_1")), Sessions()
    events, served = LocalServer([ErrorInterceptor()]), LocalServer([CallerInterceptor(anna)])
    servicer = EventServicer(EventLog(SqlLogStore(database)), Subscriptions(Open()))
    add_EventServiceServicer_to_server(servicer, events)
    conversings = Conversings(Nobody, sessions, events.channel())
    add_DispatcherServiceServicer_to_server(DispatcherServicer(Nobody, Nobody, conversings), served)
    stub: Any = DispatcherServiceStub(served.channel())
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


async def test_a_session_that_ends_while_the_stream_opens_commands_nothing() -> None:
    """The token is asked about again once the client lets the stream open."""

    class LoggedOut(Open):
        async def verify(self, access_token: str) -> Principal:
            assert access_token == "good until then"
            raise DomainError(Reason.SESSION_REVOKED)

    anna = Principal("user", UserId("user_anna0000"), SessionId("sess_1"))
    slow = SlowOpening()
    served = LocalServer([ErrorInterceptor(), CallerInterceptor(anna), slow])
    conversings = Conversings(Nobody, LoggedOut(), LocalServer().channel())
    add_DispatcherServiceServicer_to_server(DispatcherServicer(Nobody, Nobody, conversings), served)
    post = pb.ConverseRequest()
    post.post.conversation_id = "conv_00000001"
    stub: Any = DispatcherServiceStub(served.channel())
    call = stub.Converse(iter([post]), metadata=(("authorization", "Bearer good until then"),))
    slow.go.set()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert domain_error_of(caught.value).reason is Reason.SESSION_REVOKED


async def test_a_call_on_the_stream_belongs_to_its_trace(database: Database) -> None:
    """Before and after a refresh, which brings other credentials."""
    callers: list[dict[str, str | bytes]] = []

    class Calls:
        async def dispatch(self, request: pb.DispatchRequest, caller: Caller) -> Any:
            callers.append(dict(caller.metadata))
            return pb.DispatchResponse()

    class Tokens(Open):
        async def verify(self, access_token: str) -> Principal:
            return anna

    anna = Principal("user", UserId("user_anna0000"), SessionId("sess_1"))
    events, served = LocalServer([ErrorInterceptor()]), LocalServer([CallerInterceptor(anna)])
    servicer = EventServicer(EventLog(SqlLogStore(database)), Subscriptions(Tokens()))
    add_EventServiceServicer_to_server(servicer, events)
    calls: Any = Calls()
    conversings = Conversings(calls, Tokens(), events.channel())
    add_DispatcherServiceServicer_to_server(DispatcherServicer(Nobody, Nobody, conversings), served)
    stub: Any = DispatcherServiceStub(served.channel())
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
