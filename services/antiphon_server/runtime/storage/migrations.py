"""Brings a service's tables up to date at start (alembic).

Each service has revisions of its own, named "0001", "0002", …, and a table of its own
that says which one is in place. Alembic takes a third of a second and 10 MB to import, so
it is left alone where nothing is to be done, and an empty database gets the newest tables
at once and the newest revision's stamp, as alembic's cookbook has it; a test holds the
tables and the revisions equal.
"""

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, text

from antiphon_server.runtime.storage.damage import Damaged
from antiphon_server.runtime.storage.database import Database, DatabaseUnusable

LOCK = 7450  # any number that only this uses
UNFINISHED = "unfinished"
"""In place of a revision while a database is being filled: servers of any version refuse it."""


class FromTheFuture(Exception):
    """The database was written by a newer version of the program."""


async def migrate(
    database: Database, service: str, versions: Path, tables: MetaData | None = None
) -> None:
    """Apply the revisions in ``versions`` that the database has not seen, all or none.

    With ``tables``, the newest revision's, an empty database is made from them instead.
    Raises FromTheFuture if the database has seen a revision that is not there, Damaged if
    it does not say which it has seen, DatabaseUnusable if it is being filled.
    """
    await database.write(lambda connection: _migrate(connection, service, versions, tables))


def _migrate(connection: Connection, service: str, versions: Path, tables: MetaData | None) -> None:
    be_alone(connection)
    version_table = _version_table(service)
    known = known_revisions(versions)
    seen = revision(connection, service)
    if seen == UNFINISHED:
        raise DatabaseUnusable(
            "`antiphon migrate` has not brought all data into the database yet: let it end, or "
            "run it again; it goes on where it was"
        )
    if seen and seen not in known:
        raise FromTheFuture(
            f"the data of {service} is of revision {seen}, this version knows {known[-1]}: "
            "install the newer version again"
        )
    if not seen and tables is not None:
        _make(connection, version_table, tables, known[-1])
    elif seen != known[-1]:
        _upgrade(connection, version_table, versions)


def be_alone(connection: Connection) -> None:
    """Let no other server migrate until this transaction ends; SQLite has but one writer."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))


def revision(connection: Connection, service: str) -> str:
    """The newest that the database has seen; "" if it has none of the service's tables.

    Raises Damaged.
    """
    table = _version_table(service)
    if not inspect(connection).has_table(table):
        return ""
    found = connection.execute(text(f'SELECT version_num FROM "{table}"')).scalar()
    if not found:
        raise Damaged(f"{table} is empty")
    return str(found)


def make_unfinished(connection: Connection, service: str, tables: MetaData) -> None:
    """Make the newest tables, for nobody to use before :func:`finish`."""
    _make(connection, _version_table(service), tables, UNFINISHED)


def finish(connection: Connection, service: str, versions: Path) -> None:
    """Say that the tables are whole."""
    newest = {"newest": known_revisions(versions)[-1]}
    connection.execute(text(f'UPDATE "{_version_table(service)}" SET version_num=:newest'), newest)


def remove(connection: Connection, service: str, tables: MetaData) -> None:
    """Drop the service's tables, if there are any."""
    tables.drop_all(connection)
    connection.execute(text(f'DROP TABLE IF EXISTS "{_version_table(service)}"'))


def _version_table(service: str) -> str:
    return f"alembic_version_{service}"


def known_revisions(versions: Path) -> list[str]:
    """Those in a folder, the oldest first."""
    return sorted(path.name[:4] for path in versions.glob("[0-9]*.py"))


def _make(connection: Connection, version_table: str, tables: MetaData, newest: str) -> None:
    tables.create_all(connection)
    stamp = Table(version_table, MetaData(), Column("version_num", String(32), primary_key=True))
    stamp.create(connection)
    connection.execute(insert(stamp).values(version_num=newest))


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
