"""Data that any earlier version has written is brought up to date.

A revision that is edited after it was new, which databases that have it never get to see, is
found here.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.runtime.storage.migrations import migrate
from tests.runtime.revisions import (
    SCHEMAS,
    changes,
    leave,
    newest_schema,
    opened,
    recorded,
    tables,
)
from tests.runtime.test_migrations import schema

MORE_COLUMNS = (
    "cursor VARCHAR(256) NOT NULL DEFAULT ''",
    "cancel_requested BOOLEAN NOT NULL DEFAULT 0",
)


@pytest.mark.parametrize("service", SCHEMAS)
async def test_every_revision_makes_what_it_made_when_it_was_new(
    service: str, tmp_path: Path
) -> None:
    """Each is applied to a database that the version before has left."""
    file = tmp_path / "x.db"
    assert await changes(file, service) == recorded()[service]
    assert "".join(tables(file).values()) == newest_schema(service).read_text()


@pytest.mark.parametrize("more", [(), MORE_COLUMNS])
async def test_turns_of_the_first_revision_are_adopted(
    more: tuple[str, ...], tmp_path: Path
) -> None:
    """What ran when the server was replaced is found again; some have made more columns."""
    await leave(tmp_path / "old", "dispatcher", "0001")
    with closing(sqlite3.connect(tmp_path / "old")) as connection:
        connection.execute(
            "INSERT INTO dispatcher_turns VALUES('turn_00000001', 'conv_00000001',"
            " 'users/user_anna', 1, x'01', 'ws_00000001', 3, 1, 0, 1, 0, 0,"
            """ CAST('{"handler":"echo","policy":1}' AS BLOB), x'', x'', 'embedded', 1)"""
        )
        for column in more:
            connection.execute(f"ALTER TABLE dispatcher_turns ADD COLUMN {column}")
        connection.commit()
    async with opened(tmp_path / "old") as old, opened(tmp_path / "new") as new:
        for database in (old, new):
            await migrate(database, "dispatcher", *SCHEMAS["dispatcher"])
        schemas = [await each.read(lambda c: schema(c, "dispatcher")) for each in (old, new)]
        assert schemas[0] == schemas[1]
        store = SqlTurnStore(old)
        (turn,) = await store.claim("embedded", 2, 3, own=True)
        assert (turn.turn_id, turn.cursor, turn.cancel_requested) == ("turn_00000001", "", False)
        await store.put(turn)
