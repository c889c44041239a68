"""A server that has died is known to be dead at once, and no other one is taken for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg
import pytest

from antiphon_server.runtime.nodes import Neighbours, NodeLease
from antiphon_server.runtime.nodes.name import LEASE_S
from antiphon_server.runtime.nodes.neighbours import listens
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from antiphon_server.runtime.storage.session_lock import SessionLock
from tests.e2e.until import PATIENCE_S
from tests.fakes.postgres import Postgres
from tests.proofs.bench.processes import free_port

HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
HELD += " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
CUT = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
CUT += " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"


@dataclass
class Pair:
    """Server ``a``, whose session and address may be there, as ``b`` sees it."""

    url: str
    database: Database
    a: NodeLease
    b: NodeLease
    listening: set[str] = field(default_factory=set)

    def neighbours(self, clock: Callable[[], float] = time.time) -> Neighbours:
        """What b does, and connections to whom come about."""

        async def is_there(address: str) -> bool:
            return address in self.listening

        return Neighbours(self.database, self.b, clock, is_there)

    async def asked(self, statement: str) -> object:
        """What Postgres says, in a session of its own."""
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Of server a, for the block's time."""
        task = asyncio.create_task(SessionLock(self.url, self.a.life).run())
        await self.held()
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def held(self) -> None:
        """Return when the lock of a session is."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.asked(HELD):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def pair(postgres: Postgres) -> AsyncIterator[Pair]:
    url = await postgres.database()
    database = PostgresDatabase(url)
    leases = NodeLease(database, "a"), NodeLease(database, "b")
    for lease in leases:
        await lease.begin()
        await lease.announce(f"{lease.node}.example:1")
    yield Pair(url, database, *leases)
    await database.close()


async def living(pair: Pair) -> frozenset[str]:
    return await pair.b.living()


async def test_a_dead_server_is_dead_at_the_second_look(pair: Pair) -> None:
    """Its lease is ended, and who wants its work is told."""
    neighbours = pair.neighbours()
    async with pair.session():
        await neighbours.look()
    await neighbours.look()
    assert await living(pair) == {"a", "b"}
    assert not pair.b.left.is_set()
    await neighbours.look()
    assert await living(pair) == {"b"}
    assert pair.b.left.is_set()


async def test_who_holds_its_session_is_left_alone(pair: Pair) -> None:
    """Though nothing listens where it is: it may stand still, or be cut off from here."""
    neighbours = pair.neighbours()
    async with pair.session():
        for _ in range(4):
            await neighbours.look()
    assert await living(pair) == {"a", "b"}


async def test_who_listens_is_left_alone(pair: Pair) -> None:
    """Though its session is gone: so are all of them when Postgres was started again."""
    neighbours = pair.neighbours()
    pair.listening.add("a.example:1")
    for _ in range(4):
        await neighbours.look()
    assert await living(pair) == {"a", "b"}


async def test_who_does_not_listen_yet_is_left_alone(pair: Pair) -> None:
    """A server that is starting has no address, and may have no session."""
    neighbours = pair.neighbours()
    await pair.a.announce("")
    for _ in range(4):
        await neighbours.look()
    assert await living(pair) == {"a", "b"}


async def test_a_session_that_is_back_meanwhile_counts(pair: Pair) -> None:
    """It is looked at once more in the transaction that would end the lease."""
    back = asyncio.Event()
    opened = pair.session()

    async def comes_back(_: str) -> bool:
        await opened.__aenter__()
        back.set()
        return False

    neighbours = Neighbours(pair.database, pair.b, is_there=comes_back)
    await neighbours.look()
    await neighbours.look()
    assert back.is_set()
    assert await living(pair) == {"a", "b"}
    await opened.__aexit__(None, None, None)


async def test_a_session_is_held_anew(pair: Pair) -> None:
    """Whatever ended its connection: Postgres, an operator, the network."""
    async with pair.session():
        await pair.asked(CUT)
        await pair.held()


async def test_who_was_taken_for_dead_asks_anew_what_is_its_own(pair: Pair) -> None:
    """It has its lease again, in another term; one that nobody ended stays in its own."""
    await pair.a.renew()
    assert pair.a.term == 0
    neighbours = pair.neighbours()
    await neighbours.look()
    await neighbours.look()
    await pair.a.renew()
    assert pair.a.term == 1
    assert await living(pair) == {"a", "b"}


async def test_any_end_of_a_lease_is_told(pair: Pair) -> None:
    """A server says good-bye, or falls silent for as long; not that one was never there."""
    pair.listening.add("a.example:1")
    late = [0.0]
    neighbours = pair.neighbours(lambda: time.time() + late[0])
    await neighbours.look()
    await neighbours.look()
    assert not pair.b.left.is_set()
    late[0] = LEASE_S + 1
    await neighbours.look()
    assert pair.b.left.is_set()
    pair.b.left.clear()
    late[0] = 0.0
    await neighbours.look()
    assert not pair.b.left.is_set()
    await pair.a.end()
    await neighbours.look()
    assert pair.b.left.is_set()


async def test_whether_anything_listens() -> None:
    """An open port, whoever is behind it; none; and a name that nobody knows."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await listens(f"127.0.0.1:{port}")
    server.close()
    await server.wait_closed()
    assert not await listens(f"127.0.0.1:{free_port()}")
    assert not await listens("nobody.invalid:1")
