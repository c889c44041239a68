"""The migrations make the tables that the ledger uses."""

from pathlib import Path

from sqlalchemy import Connection

from antiphon_server.integration.descriptor import INTEGRATION
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.runtime.storage.migrations import migrate
from antiphon_server.runtime.storage.sqlite import SqliteDatabase


def difference(connection: Connection) -> object:
    """What alembic would still generate."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    options = {"version_table": "alembic_version_integration", "compare_type": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


async def test_tables_and_migrations_are_equal(tmp_path: Path) -> None:
    """Nothing is left to generate, neither columns, types nor indexes."""
    database = SqliteDatabase(tmp_path / "x.db")
    await migrate(database, "integration", INTEGRATION.schema().versions)
    assert await database.write(difference) == []
    await database.close()
