"""Of several servers on one database one decides about a conversation, while it is there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import grpc
import pytest
from sqlalchemy import Connection, select

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.events.v1 import event_pb2
from antiphon_server.dispatcher.adapters.routed_calls import RoutedCalls
from antiphon_server.dispatcher.adapters.shared_sql import SharedTurnStore
from antiphon_server.dispatcher.adapters.sql_lanes import SqlLaneOwners
from antiphon_server.dispatcher.adapters.tables import lanes
from antiphon_server.dispatcher.calls import Caller, CallsHere
from antiphon_server.dispatcher.fronts import Front
from antiphon_server.dispatcher.model import ConversationId, Place, Turn
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.nodes import NameTaken, NodeLease
from antiphon_server.runtime.nodes import nodes as table
from antiphon_server.runtime.nodes.lease import KEPT_S
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.world import ANNA, CONVERSATION, a_turn, looking, world
from tests.e2e.refusals import Refused
from tests.fakes.postgres import Postgres

T = TypeVar("T")
OTHER = ConversationId("conv_00000002")
LEASE_S = 10.0
ME = Caller(ANNA, ())
GET = pb.GetTurnRequest(conversation_id=CONVERSATION, turn_id="turn_00000001")


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
    adopted: list[Turn]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    async with postgres.opened() as opened:
        yield opened


@pytest.fixture
async def nodes(database: Database, clock: Clock) -> AsyncIterator[list[Node]]:
    """Two servers with addresses."""
    made = [await node(database, clock, name) for name in ("a", "b")]
    yield made
    for each in made:
        await each.store.close()


async def node(database: Database, clock: Clock, name: str) -> Node:
    lease = NodeLease(database, name, LEASE_S, clock)
    await lease.begin()
    await lease.announce(f"{name}.example:1")
    adopted: list[Turn] = []
    owners = SqlLaneOwners(database, lease, adopted.extend, LEASE_S, clock)
    return Node(lease, owners, SharedTurnStore(database), adopted)


async def test_the_first_to_ask_has_the_lane(nodes: list[Node]) -> None:
    """The others are told where it is."""
    a, b = nodes
    assert await a.owners.place(CONVERSATION) == Place(ours=True, address="a.example:1")
    assert await b.owners.place(CONVERSATION) == Place(ours=False, address="a.example:1")
    assert (await b.owners.place(OTHER)).ours
    assert (await a.owners.place(CONVERSATION)).ours


async def test_a_lane_is_free_when_its_server_is_gone(nodes: list[Node], clock: Clock) -> None:
    """Silent for a lease, or stopped: the next to ask has it, and the turns that are in it."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    await a.store.add(turn(1, "a", clock, CONVERSATION))
    clock.time += LEASE_S + 1
    await b.lease.renew()
    assert await b.owners.place(CONVERSATION) == Place(True, "b.example:1")
    assert [it.node for it in b.adopted] == ["b"]
    assert (await b.owners.place(CONVERSATION)).ours
    assert len(b.adopted) == 1
    await b.lease.end()
    await a.lease.renew()
    assert (await a.owners.place(CONVERSATION)).ours
    assert [it.node for it in a.adopted] == ["a"]


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
    assert (await b.owners.find(CONVERSATION)) == Place(True, "b.example:1")
    assert len(b.adopted) == 1


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


async def test_a_server_that_was_silent_asks_again(nodes: list[Node], clock: Clock) -> None:
    """What it knew to be its own may be another's by now; meanwhile it takes nothing on."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    clock.time += LEASE_S + 1
    with Refused(Reason.DRAINING):
        await a.owners.place(CONVERSATION)
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
    until_us = int((clock() + LEASE_S) * 1e6)
    return a_turn(number, conversation_id=conversation, node=node_name, lease_until_us=until_us)


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


async def test_a_turn_in_anothers_lane_is_left(nodes: list[Node], clock: Clock) -> None:
    """Though its own lease has run out: the server that decides about it goes on with it."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    await a.store.add(replace(turn(1, "a", clock, CONVERSATION), lease_until_us=0))
    now = int(clock() * 1e6)
    assert await b.store.claim("b", now, now + 1, own=False) == []
    assert len(await a.store.claim("a", now, now + 1, own=False)) == 1


async def test_what_was_left_behind_is_in_hand_before_anything_is_decided(
    database: Database, nodes: list[Node], clock: Clock
) -> None:
    """Also if the first who asked has gone before it was."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    async with world(database, store=a.store, clock=clock, node="a") as before:
        await before.dispatch(1)
        await before.turns.drain(0.0)
        await a.lease.end()
        async with world(database, before.log, b.store, clock=clock, node="b") as it:
            looked, go_on = looking(it)
            owners = SqlLaneOwners(database, b.lease, it.adoptions.begin, LEASE_S, clock)
            calls = RoutedCalls(
                CallsHere(it.turns, it.decisions, it.answers, Front(it.known)),
                owners,
                it.adoptions,
                no_way,
            )
            first = asyncio.create_task(calls.get(GET, ME))
            await looked.wait()
            first.cancel()
            await asyncio.wait([first])
            again = pb.DispatchRequest(conversation_id=CONVERSATION, handler="told")
            again.parts.add(text="and this?")
            second = asyncio.create_task(calls.dispatch(again, ME))
            await asyncio.sleep(0.1)
            assert not second.done()
            go_on.set()
            assert (await second).turn.state == event_pb2.TURN_STATE_QUEUED


@dataclass
class Fragile:
    """A database that goes away after so many writes."""

    database: Database
    writes: int
    shared = True

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        self.writes -= 1
        if self.writes < 0:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await self.database.write(work, short=short)

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        return await self.database.read(work, snapshot=snapshot)

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`: nobody erases anything here."""

    async def close(self) -> None:
        """It is another's."""


async def test_a_lane_is_known_once_what_was_left_in_it_is_claimed(
    database: Database, nodes: list[Node], clock: Clock
) -> None:
    """Who fails at that leaves it to the next call, also to one that only reads."""
    a, b = nodes
    await a.owners.place(CONVERSATION)
    await a.store.add(turn(1, "a", clock, CONVERSATION))
    await a.lease.end()
    fragile = Fragile(database, writes=1)
    owners = SqlLaneOwners(fragile, b.lease, b.adopted.extend, LEASE_S, clock)
    for ask in (owners.place, owners.find):
        with pytest.raises(DomainError, match="STORE_UNAVAILABLE"):
            await ask(CONVERSATION)
        assert b.adopted == []
    fragile.writes = 2
    assert await owners.place(CONVERSATION) == Place(True, "b.example:1")
    assert [it.node for it in b.adopted] == ["b"]
    assert await owners.place(CONVERSATION) == Place(ours=True)


def no_way(address: str) -> grpc.aio.Channel:
    """Nothing is forwarded."""
    raise AssertionError(address)
