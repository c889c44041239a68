"""A dump of a Postgres database that is in use, by Postgres' own programs: of one moment.

https://www.postgresql.org/docs/current/app-pgdump.html
"""

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, text

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.heads import SUMMED, Heads, heads_of, insist_on
from antiphon_server.backups.history import new_history
from antiphon_server.backups.postgres_clients import in_one_transaction, pour, run
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.storage.database import DatabaseUnusable

T = TypeVar("T")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
_REVISIONS = "alembic_version_"


def dump_database(url: str, target: Path) -> tuple[Heads, dict[str, str]]:
    """Make it, read it back, and return where its logs end, and its tables' revisions.

    Raises BackupFailed.
    """
    (logs, offsets), revisions = _asked(url, _before)
    run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
    heads = examine_dump(target)
    insist_on((logs, offsets), heads)
    return heads, revisions


def examine_dump(path: Path) -> Heads:
    """Read all of a dump. Raises BackupFailed."""
    run("pg_restore", "", f"--file={os.devnull}", str(path))
    told = ("--data-only", "--table=events_scopes", "--file=-", str(path))
    return heads_of(_scopes(run("pg_restore", "", *told)))


def restore_dump(url: str, path: Path) -> None:
    """Into an empty database, all or nothing; see ``history``. Raises BackupFailed."""
    if _asked(url, lambda connection: connection.execute(text(_TABLES)).first()):
        raise BackupFailed(
            "the database of ANTIPHON_DATABASE_URL is not empty: make a new one with `createdb -E "
            "UTF8`, and name that one"
        )
    told = ("--exit-on-error", "--no-owner", "--no-privileges", "--file=-", str(path))
    # A script, since pg_restore would commit before the history is a new one.
    with in_one_transaction(url) as script:
        pour("pg_restore", told, script)
        script.write(_new_history().encode())


def _before(connection: Connection) -> tuple[tuple[int, int], dict[str, str]]:
    tables = [name for (name,) in connection.execute(text(_TABLES)) if name.startswith(_REVISIONS)]
    if not tables:
        raise BackupFailed("the database of ANTIPHON_DATABASE_URL has no data of Antiphon")
    logs, offsets = connection.execute(text(SUMMED)).one()
    revisions = {
        table.removeprefix(_REVISIONS): str(
            connection.execute(text(f'SELECT version_num FROM "{table}"')).scalar_one()
        )
        for table in tables
    }
    return (logs, int(offsets)), revisions


def _new_history() -> str:
    """Its statements, as psql reads them, in the schema that a dump's script leaves."""
    filled = (_filled(statement, values) for statement, values in new_history())
    return "RESET search_path;\n" + "".join(f"{statement};\n" for statement in filled)


def _filled(statement: str, values: Mapping[str, str]) -> str:
    quoted = {name: "'" + value.replace("'", "''") + "'" for name, value in values.items()}
    return re.sub(r":(\w+)", lambda named: quoted[named[1]], statement)


def _asked(url: str, work: Callable[[Connection], T]) -> T:
    from antiphon_server.runtime.storage.postgres_start import open_for_migrations, open_postgres

    async def ask() -> T:
        await (await open_postgres(url, 2)).close()  # which says what is wrong with it
        database = open_for_migrations(url)
        try:
            return await database.read(work)
        finally:
            await database.close()

    try:
        return asyncio.run(ask())
    except DomainError as error:
        raise BackupFailed(f"the database refused: {error.__cause__}") from error
    except (DatabaseUnusable, WrongSetting) as error:
        raise BackupFailed(str(error)) from error


def _scopes(printed: bytes) -> Iterator[tuple[str, int]]:
    """The rows that COPY prints of the table: names of columns, then a row a line."""
    lines = iter(printed.decode().splitlines())
    header = next(line for line in lines if line.startswith("COPY "))
    columns = header.partition("(")[2].partition(")")[0].split(", ")
    scope, last = columns.index("scope"), columns.index("last_offset")
    for line in lines:
        if line == "\\.":
            return
        cells = line.split("\t")
        yield cells[scope], int(cells[last])
