"""Tables are brought up to date once, and are those that the code expects."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, inspect, text

from antiphon_server.events.descriptor import EVENTS
from antiphon_server.runtime.storage.migrations import FromTheFuture, migrate
from tests.repository.test_imports import printed
from tests.runtime.revisions import SCHEMAS, opened


@pytest.mark.parametrize("service", SCHEMAS)
async def test_migrations_make_the_tables_of_the_code(service: str, tmp_path: Path) -> None:
    """Alembic's own comparison finds no difference."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    versions, tables = SCHEMAS[service]
    async with opened(tmp_path / "x.db") as database:
        await migrate(database, service, versions)
        await migrate(database, service, versions)
        difference = await database.write(
            lambda connection: compare_metadata(
                MigrationContext.configure(
                    connection,
                    opts={"version_table": f"alembic_version_{service}", "compare_type": True},
                ),
                tables,
            )
        )
        assert difference == []


@pytest.mark.parametrize("service", SCHEMAS)
async def test_an_empty_database_gets_the_same_tables_at_once(service: str, tmp_path: Path) -> None:
    """Made from the tables or by all revisions: the same schema, the same stamp."""
    versions, tables = SCHEMAS[service]
    schemas = []
    for name, given in (("made", tables), ("migrated", None)):
        async with opened(tmp_path / name) as database:
            await migrate(database, service, versions, given)
            schemas.append(await database.read(lambda c: schema(c, service)))
    assert schemas[0] == schemas[1]


def schema(connection: Connection, service: str) -> dict[str, object]:
    """A service's revision and its tables' columns, keys and indexes."""
    found = inspect(connection)
    version = text(f"SELECT version_num FROM alembic_version_{service}")
    return {
        "version": connection.execute(version).scalar(),
        **{
            table: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
                found.get_pk_constraint(table)["constrained_columns"],
                sorted(str(index["column_names"]) for index in found.get_indexes(table)),
            )
            for table in sorted(found.get_table_names())
        },
    }


async def test_all_services_share_one_database(tmp_path: Path) -> None:
    """Each has tables and a version of its own."""
    async with opened(tmp_path / "x.db") as database:
        for service, (versions, _tables) in SCHEMAS.items():
            await migrate(database, service, versions)
        names = await database.read(lambda connection: inspect(connection).get_table_names())
        for service, (_versions, tables) in SCHEMAS.items():
            assert f"alembic_version_{service}" in names
            assert isinstance(tables, MetaData)
            assert set(tables.tables) <= set(names)


async def test_data_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """An older program says so instead of writing into it."""
    async with opened(tmp_path / "x.db") as database:
        await migrate(database, "events", EVENTS.schema().versions)
        newer = text("UPDATE alembic_version_events SET version_num = '9999'")
        await database.write(lambda connection: connection.execute(newer) and None)
        with pytest.raises(FromTheFuture, match="9999"):
            await migrate(database, "events", EVENTS.schema().versions)


def test_alembic_is_not_imported_when_nothing_is_to_be_done(tmp_path: Path) -> None:
    """A start on data that is up to date does not pay for it."""
    program = f"""
import asyncio, sys
from pathlib import Path
from antiphon_server.events.descriptor import EVENTS
from antiphon_server.runtime.storage.migrations import migrate
from antiphon_server.runtime.storage.sqlite import SqliteDatabase

async def main():
    database = SqliteDatabase(Path({str(tmp_path / "x.db")!r}))
    await migrate(database, "events", EVENTS.schema().versions)
    await database.close()

asyncio.run(main())
print("alembic" in sys.modules)
"""
    assert [printed(program) for _ in range(2)] == [["True"], ["False"]]
