"""A call about a conversation of another server is answered there."""

from dataclasses import dataclass, field

import grpc
import pytest

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import (
    add_DispatcherServiceServicer_to_server,
)
from antiphon_server.dispatcher.adapters.routed_calls import RoutedCalls
from antiphon_server.dispatcher.calls import Caller
from antiphon_server.dispatcher.model import ConversationId, Place
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.channels.peer_channel import PeerChannel
from antiphon_server.runtime.channels.server_ways import FORWARDED, IDLE_S
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.addresses import set_address
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from tests.dispatcher.world import CONVERSATION

ANN = Caller(
    Principal("user", UserId("user_ann"), SessionId("sess_ann")),
    (("authorization", "Bearer x"), ("cookie", "y"), ("x-forwarded-for", "203.0.113.9")),
)


@dataclass
class Here:
    """Answers calls, and notes what they brought; fails first as often as told."""

    name: str = "here"
    fail: int = 0
    seen: list[tuple[pb.GetTurnRequest, dict[str, str | bytes]]] = field(default_factory=list)

    async def get(self, request: pb.GetTurnRequest, caller: Caller) -> pb.GetTurnResponse:
        self.seen.append((request, dict(caller.metadata)))
        answer = pb.GetTurnResponse()
        answer.turn.handler = self.name
        return answer

    async def GetTurn(
        self, request: pb.GetTurnRequest, context: "grpc.aio.ServicerContext[object, object]"
    ) -> pb.GetTurnResponse:
        self.fail -= 1
        if self.fail >= 0:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        return await self.get(
            request, Caller(ANN.principal, tuple(context.invocation_metadata() or ()))
        )

    async def CancelTurn(
        self, request: pb.CancelTurnRequest, context: "grpc.aio.ServicerContext[object, object]"
    ) -> pb.CancelTurnResponse:
        return pb.CancelTurnResponse()

    def __getattr__(self, name: str) -> None:
        """Nothing else is called."""


@dataclass
class Told:
    """Places as they are told, one after the other."""

    places: list[Place]

    async def place(self, conversation_id: ConversationId) -> Place:
        return self.places.pop(0) if len(self.places) > 1 else self.places[0]

    async def find(self, conversation_id: ConversationId) -> Place | None:
        return await self.place(conversation_id)

    async def settled(self, conversation_id: ConversationId) -> None:
        """Nothing is under way."""


THERE, OURS = Place(ours=False, address="there:1"), Place(ours=True)


def routed(told: Told, here: Here, there: Here) -> RoutedCalls:
    server = LocalServer([ErrorInterceptor()])
    add_DispatcherServiceServicer_to_server(there, server)  # type: ignore[arg-type]
    return RoutedCalls(here, told, told, lambda address: server.channel())  # type: ignore[arg-type]


GET = pb.GetTurnRequest(conversation_id=CONVERSATION, turn_id="turn_00000001")


async def test_a_call_is_answered_where_the_lane_is() -> None:
    """Here, or there with what its caller brought, and marked.

    Where the caller is this server says, not the caller.
    """
    set_address("2001:db8:1:2::/64")
    here, there = Here(), Here("there")
    assert (await routed(Told([OURS]), here, there).get(GET, ANN)).turn.handler == "here"
    assert (await routed(Told([THERE]), here, there).get(GET, ANN)).turn.handler == "there"
    ((request, brought),) = there.seen
    assert request == GET
    assert set(brought) == {"authorization", "x-forwarded-for", FORWARDED}
    assert brought["x-forwarded-for"] == "2001:db8:1:2::"


@pytest.mark.parametrize("away", [False, True])
async def test_a_stop_elsewhere_is_known_here_before_it_is_answered(*, away: bool) -> None:
    """So that this server's streams deliver no older text; a store that is away keeps no answer."""
    server, asked = LocalServer([ErrorInterceptor()]), list[ConversationId]()
    add_DispatcherServiceServicer_to_server(Here("there"), server)  # type: ignore[arg-type]

    async def catch_up(conversation_id: ConversationId) -> None:
        asked.append(conversation_id)
        if away:
            raise DomainError(Reason.STORE_UNAVAILABLE)

    told = Told([THERE])
    calls = RoutedCalls(
        Here(),  # type: ignore[arg-type]
        told,
        told,
        lambda address: server.channel(),
        catch_up=catch_up,
    )
    stop = pb.CancelTurnRequest(conversation_id=CONVERSATION, turn_id="turn_00000001")
    assert await calls.cancel(stop, ANN) == pb.CancelTurnResponse()
    assert asked == [CONVERSATION]


async def test_a_forwarded_call_is_not_forwarded_again() -> None:
    """Two servers that each take the other for the owner don't send it to and fro."""
    there = Here("there")
    twice = Caller(ANN.principal, (*ANN.metadata, (FORWARDED, "1")))
    with pytest.raises(DomainError) as refused:
        await routed(Told([THERE]), Here(), there).get(GET, twice)
    assert (refused.value.reason, there.seen) == (Reason.DRAINING, [])


async def test_the_way_to_a_server_that_is_gone_is_closed() -> None:
    """When there is one to another, and nobody has used it for long."""
    ways: dict[str, Way] = {}
    server = LocalServer([ErrorInterceptor()])
    add_DispatcherServiceServicer_to_server(Here("there"), server)  # type: ignore[arg-type]

    def opened(address: str) -> Way:
        ways[address] = Way(server.channel())
        return ways[address]

    told = Told([Place(ours=False, address=f"there:{port}") for port in (1, 2, 3)])
    now = 0.0
    calls = RoutedCalls(Here(), told, told, opened, lambda: now)  # type: ignore[arg-type]
    await calls.get(GET, ANN)
    await calls.get(GET, ANN)
    assert not any(way.closed for way in ways.values())
    now = IDLE_S + 1
    await calls.get(GET, ANN)
    assert {address for address, way in ways.items() if not way.closed} == {"there:3"}


class Way(PeerChannel):
    """A channel that can be seen to be closed."""

    closed = False

    async def close(self, grace: float | None = None) -> None:
        self.closed = True
        await super().close(grace)


async def test_a_server_that_drains_is_asked_again_until_its_lanes_are_free() -> None:
    """Also while it does not listen."""
    here, there = Here(), Here("there", fail=9)
    told = Told([THERE, Place(ours=False), THERE, OURS])
    assert (await routed(told, here, there).get(GET, ANN)).turn.handler == "here"
    assert there.fail == 7
