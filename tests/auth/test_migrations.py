"""The migrations make the tables that the stores use, and take them away again."""

import runpy
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, inspect

from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.compose import VERSIONS


def run(connection: Connection, step: str) -> None:
    """Run one step of every version, in its order."""
    context = MigrationContext.configure(connection)
    files = sorted(VERSIONS.glob("*.py"), reverse=step == "downgrade")
    with Operations.context(context):
        for file in files:
            runpy.run_path(str(file))[step]()


def test_tables_and_migrations_are_equal(tmp_path: Path) -> None:
    """Nothing is left to generate, neither columns, types nor indexes."""
    with create_engine(f"sqlite:///{tmp_path / 'test.db'}").begin() as connection:
        run(connection, "upgrade")
        options = {"compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        run(connection, "downgrade")
        assert inspect(connection).get_table_names() == []
