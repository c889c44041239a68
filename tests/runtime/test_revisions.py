"""Data that any earlier version has written is brought up to date.

``schemas`` has the tables as each revision made them when it was new, so a revision that
is edited afterwards, which databases that have it never get to see, is found here.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.runtime.storage.migrations import migrate
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.runtime.test_migrations import SCHEMAS, schema

SEEN = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


def written_by(revision: Path, path: Path) -> SqliteDatabase:
    """A database as that revision left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(revision.read_text())
    return SqliteDatabase(path)


@pytest.mark.parametrize("revision", SEEN, ids=lambda revision: revision.stem)
async def test_what_every_revision_made_is_brought_up_to_date(
    revision: Path, tmp_path: Path
) -> None:
    """The tables are those that an empty database gets."""
    service = revision.stem.partition("_")[0]
    schemas = []
    for database in (written_by(revision, tmp_path / "old"), SqliteDatabase(tmp_path / "new")):
        try:
            await migrate(database, service, *SCHEMAS[service])
            schemas.append(await database.read(lambda c: schema(c, service)))
        finally:
            await database.close()
    assert schemas[0] == schemas[1]


def test_no_revision_is_forgotten() -> None:
    """Each has its tables here."""
    revisions = {
        f"{service}_{path.name[:4]}"
        for service, (versions, _tables) in SCHEMAS.items()
        for path in versions.glob("[0-9]*.py")
    }
    assert revisions <= {path.stem for path in SEEN}


async def test_turns_of_the_first_revision_are_adopted(tmp_path: Path) -> None:
    """What ran when the server was replaced is found again by the new one."""
    first = next(path for path in SEEN if path.stem == "dispatcher_0001")
    database = written_by(first, tmp_path / "x.db")
    try:
        await migrate(database, "dispatcher", *SCHEMAS["dispatcher"])
        store = SqlTurnStore(database)
        (turn,) = await store.claim("embedded", 2, 3, own=True)
        assert (turn.turn_id, turn.cursor, turn.cancel_requested) == ("turn_00000001", "", False)
        await store.put(turn)
    finally:
        await database.close()
