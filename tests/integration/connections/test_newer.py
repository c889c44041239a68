"""Connections that a newer server has stored, on one that does not know their kind."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from antiphon_server.integration import connection_encoding as encoding
from antiphon_server.integration.connections.adapters.newer_kind import NewerKind
from antiphon_server.integration.connections.adapters.sql import SqlConnections
from antiphon_server.integration.connections.adapters.sql_egress import SqlEgressRules
from antiphon_server.integration.connections.adapters.tables import connections as table
from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.model import (
    Bearer,
    Connection,
    Mcp,
    Newer,
    State,
    Status,
)
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.storage.database import Database
from tests.e2e.refusals import Refused
from tests.fakes.databases import opened_sqlite
from tests.integration.connections.test_shown import Hosts

WORKSPACE = "ws_00000001"
PIGEON = {"type": "pigeon", "loft": "north"}
"""A target of a kind to come."""


def _connection(name: str) -> Connection:
    signed = Bearer(SecretName("key"))
    return Connection(WORKSPACE, SourceName(name), Mcp("https://here.example"), "Ours", signed)


async def _rewritten(database: Database, name: str, **members: Any) -> bytes:
    """Store members of a connection as a newer server does; the record as it is then."""
    here = table.c.name == name

    def write(it: Any) -> bytes:
        record = msgspec.json.decode(it.execute(select(table.c.record).where(here)).scalar_one())
        changed = msgspec.json.encode({**record, **members})
        it.execute(update(table).where(here).values(record=changed, etag=new_id("etag")))
        return changed

    return await database.write(write)


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    async with opened_sqlite(metadata) as found:
        yield found


@pytest.fixture
async def older(database: Database) -> AsyncIterator[Connections]:
    """A server that keeps two connections, `new` and `old`."""
    made = Connections(
        SqlConnections(database),
        {Mcp: Hosts(), Newer: NewerKind()},
        _nobody,
        SqlEgressRules(database),
    )
    for name in ("new", "old"):
        await made.create(_connection(name))
    yield made
    await made.close()


async def _nobody(connection: Connection, status: Status | None) -> None:
    return


@pytest.mark.parametrize(
    "members", [{"target": PIGEON}, {"credential": {"type": "handshake"}}, {"limits": "none"}]
)
async def test_one_that_is_not_understood_costs_no_other(
    database: Database, older: Connections, members: dict[str, Any]
) -> None:
    """It is listed as down with the reason, without what is not known; the other one works."""
    await _rewritten(database, "new", **members)
    listed = {it.name: it for it in await older.listed(WORKSPACE)}
    told = {name: (it.status.state, it.status.error_reason) for name, it in listed.items()}
    assert told == {"new": (State.DOWN, "CONNECTION_NEWER"), "old": (State.UP, "")}
    shown = encoding.connection(listed[SourceName("new")].connection, listed["new"].status)  # type: ignore[index]
    assert (shown.name, shown.title, shown.WhichOneof("target")) == ("new", "Ours", None)
    assert set(await older.of(WORKSPACE)) == {"new", "old"}
    secrets = await older.signed_by(WORKSPACE)
    assert "old" in secrets[SecretName("key")]
    assert ("new" in secrets[SecretName("key")]) is ("credential" not in members)


async def test_it_is_not_written_by_who_does_not_know_it(
    database: Database, older: Connections
) -> None:
    """A change is refused and loses nothing, its name is taken, and it can be removed."""
    kept = await _rewritten(database, "new", target=PIGEON)
    with Refused(Reason.CONNECTION_NEWER):
        await older.update(_connection("new"), ["title"])
    with Refused(Reason.CONNECTION_NEWER):
        await older.update(_connection("new"), ["target", "credential"])
    with Refused(Reason.ALREADY_EXISTS):
        await older.create(_connection("new"))
    with Refused(Reason.CONNECTION_NEWER):
        found = await older.get(WORKSPACE, SourceName("new"))
        await found.forward("hello")
    here = select(table.c.record).where(table.c.name == "new")
    assert await database.read(lambda it: it.execute(here).scalar_one()) == kept
    await older.delete(WORKSPACE, SourceName("new"))
    assert [it.name for it in await older.listed(WORKSPACE)] == ["old"]


async def test_one_that_is_out_of_use_stays_so(database: Database, older: Connections) -> None:
    """Nobody probes it."""
    await _rewritten(database, "new", target=PIGEON, disabled=True)
    listed = {it.name: it.status.state for it in await older.listed(WORKSPACE)}
    assert listed == {"new": State.DISABLED, "old": State.UP}
