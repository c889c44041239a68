"""The migrations make the tables that the store uses."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from antiphon_server.context.adapters.tables import metadata
from antiphon_server.context.descriptor import CONTEXT
from antiphon_server.runtime.storage.migrations import migrate
from antiphon_server.runtime.storage.sqlite import SqliteDatabase


async def test_tables_and_migrations_are_equal(tmp_path: Path) -> None:
    """Nothing is left to generate, neither columns, types nor indexes; twice is no error."""
    database = SqliteDatabase(tmp_path / "test.db")
    await migrate(database, "context", CONTEXT.schema().versions)
    await migrate(database, "context", CONTEXT.schema().versions)

    def differences(connection: Connection) -> object:
        options = {"compare_type": True, "version_table": "alembic_version_context"}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    found = await database.read(differences)
    await database.close()
    assert found == []
