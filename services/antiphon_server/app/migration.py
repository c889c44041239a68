"""Taking the data of one server, in an SQLite file, into a Postgres that several share."""

import asyncio
import contextlib
import os
import shlex
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from sqlalchemy import Table

from antiphon_server.app.own_database import keeps_postgres, postgres_folder
from antiphon_server.app.schemas import (
    DATABASE_FILE,
    MIGRATED_MARK,
    MOVED_FILE,
    migrate_all,
    schemas_of_several,
)
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.storage.damage import Damaged
from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable, exclusive
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.postgres_start import open_for_migrations, open_postgres
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from antiphon_server.runtime.storage.transfer.digest import Digest
from antiphon_server.runtime.storage.transfer.failure import TransferFailed
from antiphon_server.runtime.storage.transfer.source import SqliteSource, key_of
from antiphon_server.runtime.storage.transfer.target import Place, PostgresTarget
from antiphon_server.stores.local_postgres import start_postgres

Tell = Callable[[str, int, int], None]
"""Told what is being done, with how many rows that is over, and of how many."""


async def migrate_to_postgres(data_dir: Path, url: str | None, tell: Tell) -> int:
    """Take all rows over, compare them there, and put the file aside; returns how many they are.

    Without a ``url`` they go where ``antiphon up --mesh`` has its own Postgres. Whoever ends it on
    the way begins it again: it goes on where it was. At no time is there a database that servers
    would take for whole and is not. Raises DataDirUnusable, DatabaseUnusable,
    WrongSetting, FromTheFuture, Damaged, TransferFailed, StoresMissing, StoreDidNotStart.
    """
    await asyncio.to_thread(_file, data_dir)  # before a folder is made
    with exclusive(data_dir):
        path = await asyncio.to_thread(_file, data_dir)
        await _brought_up_to_date(path)
        try:
            async with _database(data_dir, url) as database:
                return await _migrate(path, database, tell)
        except sqlite3.DatabaseError as error:
            raise Damaged(str(error)) from error
        except DomainError as error:
            raise TransferFailed(
                f"Postgres went away meanwhile ({error.reason}); run `antiphon migrate` again, it "
                "goes on where it was"
            ) from error


@contextlib.asynccontextmanager
async def _database(data_dir: Path, url: str | None) -> AsyncIterator[Database]:
    async with contextlib.AsyncExitStack() as stack:
        if url is None:
            own = await start_postgres(postgres_folder(data_dir))
            stack.push_async_callback(own.child.stop)
            url = own.url
        await (await open_postgres(url, 2)).close()  # which says what is wrong with it
        database = open_for_migrations(url)
        stack.push_async_callback(database.close)
        yield database


async def _migrate(path: Path, database: Database, tell: Tell) -> int:
    source = await asyncio.to_thread(SqliteSource, path)
    target = PostgresTarget(database, schemas_of_several(), source.state)
    try:
        rows = await _Transfer(source, target, tell).run()
    finally:
        await asyncio.to_thread(source.close)
    await asyncio.to_thread(_put_aside, path)
    await target.finish()
    await asyncio.to_thread(path.with_name(MIGRATED_MARK).touch)
    return rows


def _file(data_dir: Path) -> Path:
    """The data of one server. It has the other name if all but the last step was done."""
    if (data_dir / MIGRATED_MARK).exists() and not (data_dir / DATABASE_FILE).exists():
        raise TransferFailed(f"{data_dir} is migrated already: {_start(data_dir)}")
    for name in (DATABASE_FILE, MOVED_FILE):
        if (data_dir / name).exists():
            return data_dir / name
    raise DataDirUnusable(
        f"{data_dir} has no {DATABASE_FILE}, so there is nothing to migrate; name the folder of "
        "the server with --data-dir"
    )


def _start(data_dir: Path) -> str:
    if keeps_postgres(data_dir):
        return (
            f"start with `antiphon up --mesh --replicas 2 --data-dir {shlex.quote(str(data_dir))}`"
        )
    return "start with `antiphon up`, ANTIPHON_DATABASE_URL set to where it went"


async def _brought_up_to_date(path: Path) -> None:
    """As the next start of a server would."""
    database = SqliteDatabase(path)
    try:
        await migrate_all(database)
    finally:
        await database.close()


class _Transfer:
    def __init__(self, source: SqliteSource, target: PostgresTarget, tell: Tell) -> None:
        self._source = source
        self._target = target
        self._tell = tell
        own = schemas_of_several()["nodes"].tables.tables
        # What servers know of each other is nothing that one alone has.
        self._tables = [table for table in target.tables if table.name not in own]
        self._done = self._total = 0

    async def run(self) -> int:
        """Copy what is missing, then read all of it on both sides. Raises TransferFailed."""
        places = await self._target.begin()
        counts = await asyncio.to_thread(lambda: list(map(self._source.count, self._tables)))
        self._total = sum(counts)
        for table in self._tables:
            await self._copy(table, places.get(table.name, Place(None, 0)))
        self._done = 0
        for table in self._tables:
            await self._compare(table)
        return self._total

    async def _copy(self, table: Table, place: Place) -> None:
        self._done += place.rows
        self._tell("copying", self._done, self._total)
        batches = self._source.batches(table, place.last_key)
        while batch := await asyncio.to_thread(next, batches, None):
            await self._target.put(table, batch, key_of(table, batch[-1]))
            self._done += len(batch)
            self._tell("copying", self._done, self._total)

    async def _compare(self, table: Table) -> None:
        before = self._done
        found = await self._target.digest(
            table, lambda rows: self._tell("comparing", before + rows, self._total)
        )
        meant = await asyncio.to_thread(self._digest, table)
        self._done += meant.rows
        if found != meant:
            await self._target.forget()
            raise TransferFailed(
                f"{table.name} is not the same in Postgres ({found}) as here ({meant}): nothing "
                "was changed here; run `antiphon migrate` again, it begins anew"
            )

    def _digest(self, table: Table) -> Digest:
        digest = Digest()
        for row in self._source.rows(table):
            digest.add(row)
        return digest


def _put_aside(path: Path) -> None:
    """From now on no server takes the file for its data, whatever happens to this process."""
    path.with_name(MIGRATED_MARK).unlink(missing_ok=True)  # of an earlier one
    path.rename(path.with_name(MOVED_FILE))
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
