"""Brings a service's tables up to date at start (alembic).

Each service has revisions of its own, named "0001", "0002", …, and a table of its own
that says which one is in place. Alembic takes a third of a second to import, so it is
left alone where nothing is to be done.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from antiphon_server.runtime.database import Database


class FromTheFuture(Exception):
    """The database was written by a newer version of the program."""


async def migrate(database: Database, service: str, versions: Path) -> None:
    """Apply the revisions in ``versions`` that the database has not seen, all or none.

    Raises FromTheFuture if it has seen one that is not there.
    """
    await database.write(lambda connection: _migrate(connection, service, versions))


def _migrate(connection: Connection, service: str, versions: Path) -> None:
    table = f"alembic_version_{service}"
    known = sorted(path.name[:4] for path in versions.glob("[0-9]*.py"))
    seen = _seen(connection, table)
    if seen and seen not in known:
        raise FromTheFuture(
            f"the data of {service} is of revision {seen}, this version knows {known[-1]}: "
            "install the newer version again"
        )
    if seen != known[-1]:
        _upgrade(connection, table, versions)


def _seen(connection: Connection, table: str) -> str:
    if not inspect(connection).has_table(table):
        return ""
    found = connection.execute(text(f'SELECT version_num FROM "{table}"')).scalar()
    return str(found or "")


def _upgrade(connection: Connection, table: str, versions: Path) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(versions.parent), version_locations=[str(versions)])
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": table,
            "fn": lambda revision, _context: scripts._upgrade_revs("head", revision),
        },
    )
    with Operations.context(context):
        context.run_migrations()
