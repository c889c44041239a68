"""An older server and a newer one write into the same ledger while servers are upgraded."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, select, update

from antiphon_server.integration.descriptor import INTEGRATION
from antiphon_server.integration.ledger.adapters.row import opened_values, settled_values
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.model import MODEL_CALL, Call, CallKind
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.migrations import migrate
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from antiphon_server.runtime.storage.statements import PreparedInsert
from tests.contract.test_ledger import ALL, call, settlement
from tests.fakes.databases import KINDS


class OldServer:
    """What a server of the first revision does, by the table as that made it."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table
        self._insert = PreparedInsert(table)

    async def open(self, it: Call) -> None:
        values = opened_values(it, "old")
        row = {name: value for name, value in values.items() if name in self._table.c}
        await self._database.write(lambda connection: self._insert.run(connection, [row]))

    async def settle(self, it: Call) -> None:
        ours = update(self._table).where(self._table.c.call_id == it.call_id)
        values = settled_values(settlement())
        statement = ours.values({key: it for key, it in values.items() if key in self._table.c})
        await self._database.write(lambda connection: connection.execute(statement) and None)

    async def listed(self) -> list[str]:
        rows = select(self._table).order_by(self._table.c.call_id)
        return await self._database.read(lambda c: [row.call_id for row in c.execute(rows)])


@pytest.fixture(params=KINDS)
async def databases(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Database, Database]]:
    """An empty database, as two servers have it, with one connection each."""
    both: list[SqliteDatabase] | list[PostgresDatabase]
    if request.param == "postgres":
        url = await request.getfixturevalue("postgres").empty_database()
        both = [PostgresDatabase(url, pool=1) for _ in range(2)]
    else:
        both = [SqliteDatabase(tmp_path / "x.db") for _ in range(2)]
    yield both[0], both[1]
    for database in both:
        await database.close()


async def old_server(database: Database, folder: Path) -> OldServer:
    """A server that knows the first revision alone, on a database that has no other."""
    versions = folder / "versions"
    versions.mkdir()
    shutil.copy(next(INTEGRATION.schema().versions.glob("0001*.py")), versions)
    await migrate(database, "integration", versions)
    tables = MetaData()
    await database.read(lambda connection: tables.reflect(connection, only=["integration_calls"]))
    return OldServer(database, tables.tables["integration_calls"])


async def test_an_older_server_goes_on_writing(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    """It knows no kinds, so what it calls are models; each settles what the other opened."""
    old, new = await old_server(databases[0], tmp_path), SqlLedger(databases[1])
    before, between = call(1), call(2)
    await old.open(before)
    assert await old.listed() == [before.call_id]
    await migrate(databases[1], "integration", INTEGRATION.schema().versions)
    await old.open(between)
    of_new = [call(3), replace(call(4), kind=CallKind(7), target="files.search")]
    for it in of_new:
        await new.open(it, "new")
        await old.settle(it)
    for it in (before, between):
        await new.settle(it.call_id, settlement())
    assert await old.listed() == ["call_001", "call_002", "call_003", "call_004"]
    told = [(it.kind, it.target, it.settlement) for it in await new.calls(ALL, None, 9)]
    models = [(MODEL_CALL, "x/y", settlement())] * 3
    assert told == [(CallKind(7), "files.search", settlement()), *models]
    await new.close()
