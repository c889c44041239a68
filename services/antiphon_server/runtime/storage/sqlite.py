"""The embedded database: one SQLite file, one writer, and readers beside it.

Readers have connections of their own and see the last commit (WAL). What writes is
:class:`~antiphon_server.runtime.storage.sqlite_writer.SqliteWriter`; only that checkpoints.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.sqlite_engine import READERS, sqlite_engine
from antiphon_server.runtime.storage.sqlite_scrub import SqliteScrub
from antiphon_server.runtime.storage.sqlite_writer import REFUSED, SqliteWriter, trace, words

T = TypeVar("T")
MAX_WAITING = 10_000

log = logging.getLogger(__name__)


class SqliteDatabase:
    """A :class:`~antiphon_server.runtime.storage.database.Database` in one SQLite file.

    ``writable`` says whether its disk accepts writes, and ``changed`` is set when that changes.
    Only one process may use its folder (``data_dir.exclusive``). At most ``most_waiting`` reads
    and as many writes wait.
    """

    shared = False

    def __init__(self, path: Path, most_waiting: int = MAX_WAITING) -> None:
        self._most_waiting = most_waiting
        self._loop = asyncio.get_running_loop()
        self._reader_engine = sqlite_engine(path, read_only=True)
        self._here: Connection | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-read")
        self._reading = 0
        self._closed = False
        self._writer = SqliteWriter(sqlite_engine(path, read_only=False), most_waiting)
        self._scrub = SqliteScrub(self._writer)
        self.changed = self._writer.changed

    @property
    def writable(self) -> bool:
        """See the class."""
        return self._writer.writable

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """See :meth:`Database.write`."""
        if self._closed:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await self._writer.write(work, short=short)

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`.

        A look-up takes less time than handing it to a thread. One that fails is made there once
        more, where it may wait, and is told of.
        """
        if self._closed:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        if not snapshot and self._writer.opened.is_set():
            with contextlib.suppress(*REFUSED):
                return self._look_up(work)
        if self._reading >= self._most_waiting:
            raise DomainError(Reason.OVERLOADED, resource="store", retry_after=1.0)
        self._reading += 1
        try:
            return await self._loop.run_in_executor(self._readers, self._read, work)
        finally:
            self._reading -= 1

    def _look_up(self, work: Callable[[Connection], T]) -> T:
        """Read on the event loop. No writer is waited for: readers see the last commit."""
        if self._here is None:
            self._here = self._reader_engine.connect()
            driver: Any = self._here.connection.dbapi_connection
            driver.execute("PRAGMA busy_timeout=0")
        try:
            return work(self._here)
        finally:
            if self._here.in_transaction():  # prepared statements need none
                self._here.rollback()

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`."""
        if self._closed:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        await (self._scrub.rewrite() if copies else self._scrub.empty_log())

    async def close(self) -> None:
        """See :meth:`Database.close`."""
        if self._closed:
            return
        self._closed = True
        await self._scrub.close()
        await self._writer.finish()
        await asyncio.to_thread(self._close_connections)

    def _close_connections(self) -> None:
        self._readers.shutdown()
        if self._here is not None:
            self._here.close()
        self._reader_engine.dispose()
        self._writer.close()

    def _read(self, work: Callable[[Connection], T]) -> T:
        self._writer.opened.wait()
        try:
            with self._reader_engine.begin() as connection:
                return work(connection)
        except REFUSED as error:
            log.error("the database could not be read: %s", words(error), exc_info=trace(error))
            raise DomainError(Reason.STORE_UNAVAILABLE) from error
