"""The databases that tests run on: those that servers run on, each test's own."""

import asyncio
import functools
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from sqlalchemy import MetaData

from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from antiphon_server.runtime.storage.sqlite_engine import sqlite_engine

if TYPE_CHECKING:
    from tests.fakes.postgres import Postgres

T = TypeVar("T")
KINDS = ["sqlite", "postgres"]
# Where Linux has files in memory. Nothing of what a test stores has to outlive the machine, so
# no commit waits for a disk.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@functools.cache
def _empty(*tables: MetaData) -> bytes:
    """A file with these tables, made once for each process: that takes longer than to copy it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        engine = sqlite_engine(file, read_only=False)
        with engine.begin() as connection:
            for each in tables:
                each.create_all(connection)
        engine.dispose()
        return file.read_bytes()


async def make_sqlite(file: Path, *tables: MetaData) -> None:
    """Make a database of SQLite with these tables and nothing in them, unless there is a file."""

    def make() -> None:
        if not file.exists():
            file.write_bytes(_empty(*tables))

    await asyncio.to_thread(make)


@asynccontextmanager
async def sqlite_in(file: Path, *tables: MetaData) -> AsyncIterator[SqliteDatabase]:
    """A database of SQLite in that file, with these tables."""
    await make_sqlite(file, *tables)
    database = SqliteDatabase(file)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def opened_sqlite(*tables: MetaData) -> AsyncIterator[SqliteDatabase]:
    """A database of SQLite with these tables and nothing in them, which goes when it is closed."""
    with tempfile.TemporaryDirectory(prefix="antiphon-", dir=IN_MEMORY) as folder:
        async with sqlite_in(Path(folder) / "store.db", *tables) as database:
            yield database


@asynccontextmanager
async def opened_database(
    request: pytest.FixtureRequest, folder: Path, *tables: MetaData
) -> AsyncIterator[Database]:
    """An empty database, with tables, of the kind that the fixture's parameter names."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        async with server.opened() as postgres:
            yield postgres
        return
    async with sqlite_in(folder / "store.db", *tables) as sqlite:
        yield sqlite


def on_each_kind(make: Callable[[Database], T], *tables: MetaData) -> Any:
    """A fixture: what is made of an empty database, with tables, of each kind."""

    @pytest.fixture(params=KINDS)
    async def made(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[T]:
        async with opened_database(request, tmp_path, *tables) as database:
            yield make(database)

    return made
