"""Every store keeps what operators say of breakers."""

import asyncio

import pytest

from antiphon.auth.v1.audit_pb2 import BreakerSwitched
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.integration.breakers.adapters.sql import SqlSwitches
from antiphon_server.integration.breakers.model import Said, Target, connection_target
from antiphon_server.integration.breakers.switches import Switches
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.trail.adapters.outbox import SqlOutbox
from antiphon_server.runtime.concurrency.breaker import Breaker, State
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, metadata)
ONE, OTHER = Target("models/one"), Target("models/other")
LATE = connection_target("ws_00000001", "late")


@pytest.fixture
def store(database: Database) -> SqlSwitches:
    return SqlSwitches(database)


async def _told(database: Database) -> list[BreakerSwitched]:
    """What waits for the audit trail."""
    waits = await SqlOutbox(database).first(0, 100)
    requests = [RecordSecurityEventsRequest.FromString(entry.body) for _, entry in waits]
    return [it.events[0].breaker_switched for it in requests]


async def test_what_was_said_last_holds(store: SqlSwitches, database: Database) -> None:
    """What is open already is not said again; each closing is, as others' may have opened since."""
    assert await store.all() == {}
    assert await store.say(ONE, open=True) == Said(True, 1)
    assert await store.say(ONE, open=True) == Said(True, 1)
    assert await store.say(ONE, open=False) == Said(False, 2)
    assert await store.say(ONE, open=False) == Said(False, 3)
    assert await store.say(OTHER, open=False) == Said(False, 1)
    assert await store.all() == {ONE: Said(False, 3), OTHER: Said(False, 1)}
    assert [(it.resource, it.open) for it in await _told(database)] == [
        ("models/one", True),
        ("models/one", False),
        ("models/one", False),
        ("models/other", False),
    ]


async def test_who_says_so_at_once_is_told_apart(store: SqlSwitches) -> None:
    """No number is given twice, so nobody misses what was said last."""
    said = await asyncio.gather(*(store.say(ONE, open=False) for _ in range(20)))
    assert sorted(it.number for it in said) == list(range(1, 21))


class Server:
    """Two breakers of a server on the store."""

    def __init__(self, store: SqlSwitches) -> None:
        self.one, self.other = Breaker(), Breaker()
        self.switches = Switches(store)
        self.switches.add(ONE, self.one)
        self.switches.add(OTHER, self.other)


@pytest.fixture
def servers(store: SqlSwitches) -> tuple[Server, Server]:
    return Server(store), Server(store)


async def test_all_servers_do_what_is_said_at_one(servers: tuple[Server, Server]) -> None:
    """That one at once, the others when they look; of another breaker nothing was said."""
    here, there = servers
    for server in servers:
        await server.switches.begin()
    await here.switches.switch(ONE, open=True)
    assert (here.one.by_hand, there.one.by_hand) == (True, False)
    await there.switches.begin()
    assert there.one.by_hand
    assert there.other.state is State.CLOSED
    await there.switches.switch(ONE, open=False)
    await here.switches.begin()
    assert [it.one.state for it in servers] == [State.CLOSED] * 2


async def test_what_was_open_is_open_after_a_start(store: SqlSwitches) -> None:
    """And what was closed is no news."""
    before = Server(store)
    await before.switches.switch(ONE, open=True)
    await before.switches.switch(OTHER, open=False)
    after = Server(store)
    await after.switches.begin()
    assert (after.one.by_hand, after.other.state) == (True, State.CLOSED)


async def test_what_is_done_is_not_done_again(store: SqlSwitches) -> None:
    """What opens by itself after it was closed by hand stays open, however often servers look."""
    server = Server(store)
    await server.switches.switch(ONE, open=False)
    for _ in range(5):
        with server.one.passing() as passage:
            passage.failed = True
    await server.switches.begin()
    assert server.one.state is State.OPEN


async def test_what_is_not_there_is_none_of_ours(store: SqlSwitches) -> None:
    """A model of another server, or of before."""
    await store.say(Target("models/gone"), open=True)
    server = Server(store)
    await server.switches.begin()
    assert [server.one.state, server.other.state] == [State.CLOSED] * 2


async def test_one_that_comes_late_begins_as_was_said(store: SqlSwitches) -> None:
    """As connections do, which come and go; one that is gone is left as it is."""
    server = Server(store)
    await server.switches.begin()
    await server.switches.switch(LATE, open=True)
    first, second = Breaker(), Breaker()
    server.switches.add(LATE, first)
    assert first.by_hand
    server.switches.remove(LATE, second)  # it was never there
    server.switches.add(LATE, second)
    server.switches.remove(LATE, first)
    assert second.by_hand
    await server.switches.switch(LATE, open=False)
    assert (first.by_hand, second.by_hand) == (True, False)
    server.switches.remove(LATE, second)
    await server.switches.switch(LATE, open=True)
    assert not second.by_hand
