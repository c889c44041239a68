"""Of several servers on one database one decides about a conversation, while it is there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import grpc
import pytest
from sqlalchemy import select

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import (
    add_DispatcherServiceServicer_to_server,
)
from antiphon_server.dispatcher.adapters import routed_calls
from antiphon_server.dispatcher.adapters.routed_calls import FORWARDED, RoutedCalls
from antiphon_server.dispatcher.adapters.shared_sql import SharedTurnStore
from antiphon_server.dispatcher.adapters.sql_lanes import SqlLaneOwners
from antiphon_server.dispatcher.adapters.tables import lanes
from antiphon_server.dispatcher.calls import Caller
from antiphon_server.dispatcher.model import ConversationId, Place, Turn, TurnId
from antiphon_server.runtime.addresses import set_address
from antiphon_server.runtime.database import Database
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.local_channel import LocalServer
from antiphon_server.runtime.nodes import NameTaken, NodeLease
from antiphon_server.runtime.nodes import nodes as table
from antiphon_server.runtime.nodes.lease import KEPT_S
from antiphon_server.runtime.peer_channel import PeerChannel
from antiphon_server.runtime.principal import Principal, SessionId, UserId
from tests.fakes.postgres import Postgres

CONVERSATION, OTHER = ConversationId("conv_00000001"), ConversationId("conv_00000002")
ANN = Caller(
    Principal("user", UserId("user_ann"), SessionId("sess_ann")),
    (("authorization", "Bearer x"), ("cookie", "y"), ("x-forwarded-for", "203.0.113.9")),
)
LEASE_S = 10.0


@dataclass
class Clock:
    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Node:
    """A server's part in it, as far as the database knows."""

    lease: NodeLease
    owners: SqlLaneOwners
    store: SharedTurnStore


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    async with postgres.opened() as opened:
        yield opened


@pytest.fixture
async def nodes(database: Database, clock: Clock) -> list[Node]:
    """Two servers with addresses."""
    return [await node(database, clock, name) for name in ("a", "b")]


async def node(database: Database, clock: Clock, name: str) -> Node:
    lease = NodeLease(database, name, LEASE_S, clock)
    await lease.begin()
    await lease.announce(f"{name}.example:1")
    return Node(lease, SqlLaneOwners(database, lease, clock), SharedTurnStore(database))


async def test_the_first_to_ask_has_the_lane(nodes: list[Node]) -> None:
    """The others are told where it is."""
    a, b = nodes
    assert await a.owners.place(CONVERSATION) == Place(ours=True, address="a.example:1")
    assert await b.owners.place(CONVERSATION) == Place(ours=False, address="a.example:1")
    assert (await b.owners.place(OTHER)).ours
    assert (await a.owners.place(CONVERSATION)).ours


async def test_a_lane_is_free_when_its_server_is_gone(nodes: list[Node], clock: Clock) -> None:
    """Silent for a lease, or stopped: the next to ask has it, and learns that turns may be left."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    clock.time += LEASE_S + 1
    await b.lease.renew()
    assert await b.owners.place(CONVERSATION) == Place(True, "b.example:1", left_behind=True)
    assert not (await b.owners.place(CONVERSATION)).left_behind
    await b.lease.end()
    await a.lease.renew()
    assert (await a.owners.place(CONVERSATION)).left_behind


async def test_who_only_reads_takes_no_lane(nodes: list[Node], clock: Clock) -> None:
    """Unless a server that is gone has left turns in it, whose ends may be in the log."""
    a, b = nodes
    assert await b.owners.find(CONVERSATION) is None
    assert (await a.owners.place(CONVERSATION)).ours
    assert await b.owners.find(CONVERSATION) == Place(ours=False, address="a.example:1")
    assert await a.owners.find(CONVERSATION) == Place(ours=True)
    await a.store.add(turn(1, "a", clock, CONVERSATION))
    await a.owners.place(OTHER)
    await a.lease.end()
    assert await b.owners.find(OTHER) is None
    assert (await b.owners.find(CONVERSATION)) == Place(True, "b.example:1", left_behind=True)
    for each in nodes:
        await each.store.close()


async def test_lanes_of_servers_that_are_gone_are_forgotten(
    database: Database, nodes: list[Node], clock: Clock
) -> None:
    """When a server begins; those with something to do stay for who takes them over."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    await a.owners.place(OTHER)
    await a.store.add(turn(1, "a", clock, CONVERSATION))
    await a.lease.end()
    now = int(clock() * 1e6)
    await b.store.claim("b", now, now + int(LEASE_S * 1e6), own=True)
    rows = await database.read(lambda it: it.execute(select(lanes)).all())
    assert [(row.conversation_id, row.node) for row in rows] == [(CONVERSATION, "b")]
    for each in nodes:
        await each.store.close()


async def test_a_server_that_was_silent_asks_again(nodes: list[Node], clock: Clock) -> None:
    """What it knew to be its own may be another's by now; meanwhile it takes nothing on."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    clock.time += LEASE_S + 1
    with pytest.raises(DomainError) as refused:
        await a.owners.place(CONVERSATION)
    assert refused.value.reason is Reason.DRAINING
    await b.lease.renew()
    await b.owners.place(CONVERSATION)
    await a.lease.renew()
    assert await a.owners.place(CONVERSATION) == Place(ours=False, address="b.example:1")


async def test_a_server_that_is_gone_for_long_is_forgotten(
    database: Database, nodes: list[Node], clock: Clock
) -> None:
    """At another one's start; its lanes are free as before, and who is there is left alone."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    clock.time += KEPT_S + LEASE_S + 1
    await b.lease.renew()
    await node(database, clock, "c")
    rows = await database.read(lambda it: set(it.execute(select(table.c.node)).scalars()))
    assert rows == {"b", "c"}
    assert (await b.owners.place(CONVERSATION)).ours


async def test_two_servers_with_one_name_are_found_out(database: Database, clock: Clock) -> None:
    """The later one has it, the earlier one ends."""
    first = await node(database, clock, "a")
    second = await node(database, clock, "a")
    await second.lease.renew()
    with pytest.raises(NameTaken, match="data folder is a copy"):
        await first.lease.renew()


def turn(number: int, node_name: str, clock: Clock, conversation: ConversationId) -> Turn:
    """A turn that runs, under its server's lease."""
    it = Turn(TurnId(f"turn_{number:08}"), conversation, "users/user_ann", number)
    return replace(it, node=node_name, lease_until_us=int((clock() + LEASE_S) * 1e6))


async def test_turns_go_to_whom_the_lane_goes(nodes: list[Node], clock: Clock) -> None:
    """All of a conversation to one server; those of one that lives are left to it."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    await b.owners.place(OTHER)
    for number, conversation in enumerate([CONVERSATION, CONVERSATION, OTHER], 1):
        await a.store.add(turn(number, "a", clock, conversation))
    now = int(clock() * 1e6)
    assert await b.store.claim("b", now, now + 1, own=False) == []
    await a.lease.end()
    claimed = await b.store.claim("b", now, now + int(LEASE_S * 1e6), own=False)
    assert [it.turn_id for it in claimed] == [f"turn_{number:08}" for number in (1, 2, 3)]
    assert (await b.owners.place(CONVERSATION)).ours
    assert await b.store.claim("b", now, now + 1, own=False) == []
    for node in nodes:
        await node.store.close()


async def test_a_turn_in_anothers_lane_is_left(nodes: list[Node], clock: Clock) -> None:
    """Though its own lease has run out: the server that decides about it goes on with it."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    await a.store.add(replace(turn(1, "a", clock, CONVERSATION), lease_until_us=0))
    now = int(clock() * 1e6)
    assert await b.store.claim("b", now, now + 1, own=False) == []
    assert len(await a.store.claim("a", now, now + 1, own=False)) == 1
    for node in nodes:
        await node.store.close()


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

    def __getattr__(self, name: str) -> None:
        """Nothing else is called."""


@dataclass
class Told:
    """Places as they are told, one after the other; and how often orphans were asked for."""

    places: list[Place]
    adopted: int = 0

    async def place(self, conversation_id: ConversationId) -> Place:
        return self.places.pop(0) if len(self.places) > 1 else self.places[0]

    async def adopt_orphans(self) -> int:
        self.adopted += 1
        return 0

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


async def test_a_forwarded_call_is_not_forwarded_again() -> None:
    """Two servers that each take the other for the owner don't send it to and fro."""
    there = Here("there")
    twice = Caller(ANN.principal, (*ANN.metadata, (FORWARDED, "1")))
    with pytest.raises(DomainError) as refused:
        await routed(Told([THERE]), Here(), there).get(GET, twice)
    assert (refused.value.reason, there.seen) == (Reason.DRAINING, [])


async def test_the_way_to_a_server_that_is_gone_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is one to another, and nobody has used it for long."""
    ways: dict[str, Way] = {}
    server = LocalServer([ErrorInterceptor()])
    add_DispatcherServiceServicer_to_server(Here("there"), server)  # type: ignore[arg-type]

    def opened(address: str) -> Way:
        ways[address] = Way(server.channel())
        return ways[address]

    told = Told([Place(ours=False, address=f"there:{port}") for port in (1, 2, 3)])
    calls = RoutedCalls(Here(), told, told, opened)  # type: ignore[arg-type]
    await calls.get(GET, ANN)
    await calls.get(GET, ANN)
    assert not any(way.closed for way in ways.values())
    monkeypatch.setattr(routed_calls, "IDLE_S", 0.1)
    await asyncio.sleep(0.2)
    await calls.get(GET, ANN)
    assert {address for address, way in ways.items() if not way.closed} == {"there:3"}


class Way(PeerChannel):
    """A channel that can be seen to be closed."""

    closed = False

    async def close(self, grace: float | None = None) -> None:
        self.closed = True
        await super().close(grace)


async def test_a_server_that_drains_is_asked_again_until_its_lanes_are_free() -> None:
    """Then what it left is taken up first."""
    here, there = Here(), Here("there", fail=9)
    told = Told([THERE, Place(ours=False), THERE, Place(ours=True, left_behind=True)])
    assert (await routed(told, here, there).get(GET, ANN)).turn.handler == "here"
    assert (there.fail, told.adopted) == (7, 1)
