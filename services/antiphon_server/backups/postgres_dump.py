"""A dump of a Postgres database that is in use, by Postgres' own programs: of one moment.

https://www.postgresql.org/docs/current/app-pgdump.html
"""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, text

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.heads import SUMMED, Heads, heads_of, insist_on
from antiphon_server.backups.history import new_history
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.storage.database import DatabaseUnusable
from antiphon_server.stores.programs import StoresMissing, postgres_programs

T = TypeVar("T")
_VERSION = re.compile(rb"(\d+)\.(\d+)")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
_REVISIONS = "alembic_version_"


def dump_database(url: str, target: Path) -> tuple[Heads, dict[str, str]]:
    """Make it, read it back, and return where its logs end, and its tables' revisions.

    Raises BackupFailed.
    """
    (logs, offsets), revisions = _asked(url, _before)
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
    heads = examine_dump(target)
    insist_on((logs, offsets), heads)
    return heads, revisions


def examine_dump(path: Path) -> Heads:
    """Read all of a dump. Raises BackupFailed."""
    _run("pg_restore", "", f"--file={os.devnull}", str(path))
    told = ("--data-only", "--table=events_scopes", "--file=-", str(path))
    return heads_of(_scopes(_run("pg_restore", "", *told)))


def restore_dump(url: str, path: Path) -> None:
    """Into an empty database, all or nothing; see ``history``. Raises BackupFailed."""
    if _asked(url, lambda connection: connection.execute(text(_TABLES)).first()):
        raise BackupFailed(
            "the database of ANTIPHON_DATABASE_URL is not empty: make a new one with `createdb -E "
            "UTF8`, and name that one"
        )
    told = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    _run("pg_restore", url, *told, str(path))
    _asked(url, _begin_new_history, writes=True)


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


def _begin_new_history(connection: Connection) -> None:
    for statement, values in new_history():
        connection.execute(text(statement), values)


def _asked(url: str, work: Callable[[Connection], T], *, writes: bool = False) -> T:
    from antiphon_server.runtime.storage.postgres_start import open_for_migrations, open_postgres

    async def ask() -> T:
        await (await open_postgres(url, 2)).close()  # which says what is wrong with it
        database = open_for_migrations(url)
        try:
            return await (database.write(work) if writes else database.read(work))
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


def _run(program: str, url: str, *arguments: str) -> bytes:
    """Run one of Postgres' programs, and return what it printed. Raises BackupFailed."""
    parts = urlsplit(url)
    password = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    shown = url.replace(f":{parts.password}@", "@", 1) if parts.password else url
    where = (f"--dbname={shown}",) if url else ()  # others can see arguments
    done = subprocess.run(
        [str(_newest(program)), *where, *arguments],
        env={**os.environ, **password},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise BackupFailed(f"{program}: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout


def _newest(program: str) -> Path:
    """One that is as new as the server can read and write what it has. Raises BackupFailed."""
    found = [Path(path)] if (path := shutil.which(program)) else []
    with suppress(StoresMissing):
        found.append(postgres_programs() / program)
    if not found:
        raise BackupFailed(
            f"{program} is missing: install Postgres' programs for clients, of the server's "
            "version or a newer one (`apt install postgresql-client`)"
        )
    return max(found, key=_version)


def _version(program: Path) -> Any:
    printed = subprocess.run([program, "--version"], capture_output=True, check=False).stdout
    number = _VERSION.search(printed)
    return tuple(map(int, number.groups())) if number else ()
