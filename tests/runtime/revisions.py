"""What the revisions of a service's tables make, and what they made when they were new.

``schemas`` has each service's tables as its newest revision makes them, for people to read.
``revisions.json`` has the digest of each table that a revision made or changed (None where it
dropped it), from the day that it was written.
"""

import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from antiphon_server import installation
from antiphon_server.app.schemas import OF_SEVERAL
from antiphon_server.runtime.storage.migrations import migrate
from antiphon_server.runtime.storage.sqlite import SqliteDatabase

SCHEMAS = {each.name: each.schema() for each in installation.SERVICES} | OF_SEVERAL
RECORD = Path(__file__).with_name("revisions.json")
Changes = dict[str, str | None]
"""A table's digest after a revision."""


def newest_schema(service: str) -> Path:
    """The file that has a service's tables, as statements of SQL."""
    return Path(__file__).parent / "schemas" / f"{service}.sql"


def revisions(service: str) -> list[Path]:
    """Its migrations, oldest first; a name begins with the revision."""
    return sorted(SCHEMAS[service].versions.glob("[0-9]*.py"))


def recorded() -> dict[str, dict[str, Changes]]:
    """What each revision of each service changed when it was new."""
    found: dict[str, dict[str, Changes]] = json.loads(RECORD.read_text())
    return found


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteDatabase]:
    """The database of a file."""
    database = SqliteDatabase(path)
    try:
        yield database
    finally:
        await database.close()


async def leave(path: Path, service: str, revision: str) -> None:
    """Leave a database as the version did whose newest revision it was."""
    with tempfile.TemporaryDirectory() as folder:
        for file in revisions(service):
            if file.name[:4] <= revision:
                shutil.copy(file, folder)
        async with opened(path) as database:
            await migrate(database, service, Path(folder))


async def changes(path: Path, service: str) -> dict[str, Changes]:
    """What each revision changes in a database that has all before it."""
    found: dict[str, Changes] = {}
    before: dict[str, str] = {}
    for revision in (file.name[:4] for file in revisions(service)):
        await leave(path, service, revision)
        after = {name: digest(sql) for name, sql in tables(path).items()}
        changed = (name for name in before | after if before.get(name) != after.get(name))
        found[revision] = {name: after.get(name) for name in sorted(changed)}
        before = after
    return found


def tables(path: Path) -> dict[str, str]:
    """The statements that made each table, its indexes and its triggers."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT tbl_name, sql FROM sqlite_master"
            " WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'alembic_version%'"
            " ORDER BY tbl_name, type = 'table' DESC, name"
        ).fetchall()
    return {
        name: re.sub(r" +\n", "\n", "".join(f"{sql};\n" for _name, sql in of_table))
        for name, of_table in groupby(rows, lambda row: str(row[0]))
    }


def digest(sql: str) -> str:
    """A few digits for statements, however libraries set spaces and quotes."""
    said = re.sub(r"\s+", " ", sql.replace('"', "")).replace(" ,", ",")
    return sha256(said.encode()).hexdigest()[:12]
