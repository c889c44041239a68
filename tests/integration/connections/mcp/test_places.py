"""A connection that makes one call at a time, and a real server that asks people meanwhile."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from antiphon_server.integration.connections import connections as keeping
from antiphon_server.integration.connections.adapters.sql import SqlConnections
from antiphon_server.integration.connections.adapters.sql_egress import SqlEgressRules
from antiphon_server.integration.connections.connections import Connections, Kinds
from antiphon_server.integration.connections.mcp.adapters.connection import McpConnection
from antiphon_server.integration.connections.model import Connection, Limits, Mcp, Status
from antiphon_server.integration.connections.ports import Link
from antiphon_server.integration.connections.supervision import Supervised
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.tools.model import Result, SourceName
from antiphon_server.integration.tools.questions import Pause
from tests.e2e.until import PATIENCE_S, until
from tests.fakes.databases import opened_sqlite
from tests.integration.connections.mcp.test_asking import (
    LEMON,
    SESSIONS,
    People,
    call,
    over_http,
    text,
)

WORKSPACE = "ws_00000001"
NAP_S = 0.5
A_WHILE_S = 0.1
CAKE = "4 slices of lemon for Anna"


class Opened:
    """A kind whose link was opened before."""

    def __init__(self, link: McpConnection) -> None:
        self._link = link

    async def check(self, connection: Connection) -> None:
        """It is there."""

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        return self._link


async def _unheard(connection: Connection, status: Status | None) -> None:
    """Nobody wants to know."""


@asynccontextmanager
async def _one_at_a_time(done: Path) -> AsyncGenerator[Supervised]:
    """At the end it still is so."""
    async with over_http(done, SESSIONS) as link:
        known = Connection("w", SourceName("it"), Mcp("http://there"), limits=Limits(max_calls=1))
        connection = Supervised(known, Opened(link), _unheard)
        yield connection
        began = time.monotonic()
        both = await asyncio.gather(*(connection.call(call("nap")) for _ in range(3)))
        assert [text(it) for it in both] == ["awake"] * 3
        assert time.monotonic() - began >= 3 * NAP_S


async def _asking(connection: Supervised, people: People) -> "asyncio.Task[Result | Pause]":
    """A call that has come to its question."""
    asks = asyncio.create_task(connection.call(call("bake", people, who="Anna")))
    await until(lambda: bool(people.asked), PATIENCE_S)
    return asks


async def _waiting(connection: Supervised, people: People) -> "asyncio.Task[Result | Pause]":
    """The only place's call; the one that was asked has its answer, and waits for the place."""
    naps = asyncio.create_task(connection.call(call("nap")))
    await asyncio.sleep(A_WHILE_S)
    people.attendance.take(people.asked[0].question_id, LEMON)
    await asyncio.sleep(A_WHILE_S)
    return naps


async def test_others_call_while_people_are_asked(tmp_path: Path) -> None:
    """With the answer the call goes on, as soon as there is a place."""
    async with _one_at_a_time(tmp_path / "done") as connection:
        people = People()
        asks = await _asking(connection, people)
        assert "No cake" in text(await connection.call(call("bake", who="Ben")))
        naps = await _waiting(connection, people)
        assert not asks.done()
        assert [text(await it) for it in (naps, asks)] == ["awake", CAKE]


async def test_a_stop_while_people_are_asked_leaves_one_place(tmp_path: Path) -> None:
    """Not two: the call had given its own back."""
    async with _one_at_a_time(tmp_path / "done") as connection:
        asks = await _asking(connection, People())
        asks.cancel()
        await asyncio.wait([asks])


async def test_a_stop_while_it_waits_for_the_place_leaves_it(tmp_path: Path) -> None:
    """Its server's request goes on without it, and takes none for ever."""
    async with _one_at_a_time(tmp_path / "done") as connection:
        people = People()
        asks = await _asking(connection, people)
        naps = await _waiting(connection, people)
        asks.cancel()
        await asyncio.wait([asks])
        assert text(await naps) == "awake"


async def test_what_is_finished_waits_for_people(tmp_path: Path) -> None:
    """For longer than a call may last: its limit stands still meanwhile."""
    async with over_http(tmp_path / "done", SESSIONS) as link:
        known = Connection("w", SourceName("it"), Mcp("http://there"), limits=Limits(call_s=1))
        connection, people = Supervised(known, Opened(link), _unheard), People()
        asks = await _asking(connection, people)
        finishing = asyncio.create_task(connection.finish())
        await asyncio.sleep(1.2)
        assert not finishing.done()
        people.attendance.take(people.asked[0].question_id, LEMON)
        assert text(await asks) == CAKE
        await finishing


async def test_what_people_are_asked_on_is_not_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long nobody asks for the connection; afterwards it is let go."""
    monkeypatch.setattr(keeping, "IDLE_S", A_WHILE_S)
    async with over_http(tmp_path / "done", SESSIONS) as link, opened_sqlite(metadata) as database:
        kinds: Kinds = {Mcp: Opened(link)}
        kept = Connections(SqlConnections(database), kinds, _unheard, SqlEgressRules(database))
        people = People()
        known = Connection(WORKSPACE, SourceName("it"), Mcp("http://there"))
        asks = await _asking(await kept.create(known), people)
        tidying = asyncio.create_task(kept.tidy())
        await asyncio.sleep(4 * A_WHILE_S)
        assert kept.of_workspaces
        people.attendance.take(people.asked[0].question_id, LEMON)
        assert text(await asks) == CAKE
        await until(lambda: not kept.of_workspaces, PATIENCE_S)
        tidying.cancel()
        await asyncio.wait([tidying])
        await kept.close()
