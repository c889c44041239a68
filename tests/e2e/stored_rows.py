"""Everything that a server has stored, to see what a call has changed."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import asyncpg

from antiphon_server.app.schemas import DATABASE_FILE

Rows = Mapping[str, frozenset[str]]
"""The rows of each table, as text."""
# What servers of one database note of themselves all the time.
OF_NODES = "runtime_nodes"
# What is noted of a conversation about a second after something was said in it.
NOTED_LATER = ("activity_us", "resource_activity_us")


async def stored_rows(data_dir: Path, url: str = "") -> Rows:
    """What is in the database of that address, or else in the file of the data directory."""
    return await _on_postgres(url) if url else _in_file(data_dir / DATABASE_FILE)


def _in_file(path: Path) -> Rows:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: frozenset(map(_text, connection.execute(f'SELECT * FROM "{name}"')))
            for (name,) in names.fetchall()
        }


def _text(row: sqlite3.Row | asyncpg.Record) -> str:
    """Without what is noted later: that is no change of the call's."""
    return repr({key: row[key] for key in row.keys() if key not in NOTED_LATER})  # noqa: SIM118


async def _on_postgres(url: str) -> Rows:
    connection = await asyncpg.connect(url)
    try:
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> $1"
        return {
            name: frozenset(map(_text, await connection.fetch(f'SELECT * FROM "{name}"')))
            for (name,) in await connection.fetch(tables, OF_NODES)
        }
    finally:
        await connection.close()
