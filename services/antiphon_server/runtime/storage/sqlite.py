"""The embedded database: one SQLite file, one writer, group commit.

One thread owns the only writing connection. It takes everything that waits,
runs each piece in a savepoint of one ``BEGIN IMMEDIATE`` transaction and commits
once, so that fsyncs are shared under load and an idle system commits at once.
Readers have connections of their own and see the last commit (WAL). Only the
writer checkpoints. What it does when the disk refuses is told in
docs/decisions/0012-when-the-disk-refuses.md.
"""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.damage import is_expected, is_locked
from antiphon_server.runtime.storage.sqlite_engine import READERS, sqlite_engine

T = TypeVar("T")
MAX_WAITING = 10_000
MAX_GROUP = 256
PROBE_S = 1.0

# SQLAlchemy passes on as they are what its listeners and the driver's own calls raise.
REFUSED = (DBAPIError, sqlite3.Error)

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Work:
    run: Callable[[Connection], Any]
    done: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


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
        self._writer_engine = sqlite_engine(path, read_only=False)
        self._reader_engine = sqlite_engine(path, read_only=True)
        self._here: Connection | None = None
        self._waiting: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-read")
        self._reading = 0
        # A daemon, so that a program that dies without close() does not hang.
        self._writer = threading.Thread(target=self._write_loop, name="sqlite-write", daemon=True)
        self._opened = threading.Event()
        self._closed = False
        self._refused_at = 0.0
        self.writable = True
        self.changed = asyncio.Event()
        self._writer.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """See :meth:`Database.write`."""
        if self._closed:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        if self._waiting.qsize() >= self._most_waiting:
            raise DomainError(Reason.OVERLOADED, resource="store", retry_after=1.0)
        item = _Work(work, self._loop.create_future())
        self._waiting.put(item)
        result: T = await item.done
        return result

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`.

        A look-up takes less time than handing it to a thread. One that fails is made there once
        more, where it may wait, and is told of.
        """
        if self._closed:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        if not snapshot and self._opened.is_set():
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

    async def close(self) -> None:
        """See :meth:`Database.close`."""
        if self._closed:
            return
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        self._writer.join()
        self._readers.shutdown()
        if self._here is not None:
            self._here.close()
        self._reader_engine.dispose()
        self._writer_engine.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        self._opened.wait()
        try:
            with self._reader_engine.begin() as connection:
                return work(connection)
        except REFUSED as error:
            log.error("the database could not be read: %s", _words(error), exc_info=_trace(error))
            raise DomainError(Reason.STORE_UNAVAILABLE) from error

    def _open(self) -> None:
        """Make the file before anybody reads: readers can't. A failure shows at the first write."""
        try:
            self._writer_engine.connect().close()
        except REFUSED as error:
            log.error("the database could not be opened: %s", _words(error), exc_info=_trace(error))
        finally:
            self._opened.set()

    def _write_loop(self) -> None:
        self._open()
        open_for_work = True
        while open_for_work:
            group = [self._next()]
            while len(group) < MAX_GROUP and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            open_for_work = None not in group
            work = [item for item in group if item is not None]
            if work:
                self._write(work)

    def _next(self) -> _Work | None:
        """The next piece of work; while the disk refuses, try it now and then."""
        while not self.writable:
            try:
                return self._waiting.get(timeout=PROBE_S)
            except queue.Empty:
                self._commit_nothing()
        return self._waiting.get()

    def _write(self, group: list[_Work]) -> None:
        """Commit the group and tell its callers, whatever happens: this thread must live on."""
        try:
            self._commit(group)
        except BaseException as error:
            log.exception("a transaction failed in a way that is not the database's")
            for item in group:
                item.error = item.error or DomainError(Reason.STORE_UNAVAILABLE)
                item.error.__cause__ = item.error.__cause__ or error
        try:
            self._loop.call_soon_threadsafe(_resolve, group)
        except RuntimeError:
            log.warning("the event loop ended before its writes were answered")

    def _commit(self, group: list[_Work]) -> None:
        """Commit the group; if that fails, each piece alone, so that one can't sink others.

        A lock is no piece's fault: all are refused, and none waits for it behind the others.
        """
        try:
            with self._writer_engine.begin() as connection:
                for item in group:
                    _run(connection, item, alone=len(group) == 1)
            self._set_writable(writable=True)
        except _Undone as undone:
            group[0].error = undone.__cause__
        except REFUSED as error:
            if len(group) > 1 and not is_locked(error):
                for item in group:
                    item.error = None
                    self._commit([item])
            else:
                trace = _trace(error) if self.writable else None
                log.error("a commit failed: %s", _words(error), exc_info=trace)
                if is_locked(error):  # so nothing was begun that could be left behind
                    self._set_writable(writable=False)
                else:
                    self._commit_nothing()
                for item in group:
                    item.error = DomainError(Reason.STORE_UNAVAILABLE)
                    item.error.__cause__ = error

    def _commit_nothing(self) -> None:
        """Commit a page as it is, over what a failed commit may have left in the WAL.

        A commit whose sync failed is there in full, and the next process would find it.
        Whether this can be synced says whether the disk takes writes.
        """
        try:
            with self._writer_engine.begin() as connection:
                driver: Any = connection.connection.dbapi_connection
                driver.execute("PRAGMA user_version=0")
        except REFUSED:
            self._set_writable(writable=False)
        else:
            self._set_writable(writable=True)

    def _set_writable(self, *, writable: bool) -> None:
        """On a full disk small commits succeed between large ones that fail: be sure first."""
        now = time.monotonic()
        if not writable:
            self._refused_at = now
        if writable is self.writable or (writable and now - self._refused_at < PROBE_S):
            return
        self.writable = writable
        log.warning("the disk takes writes again" if writable else "the disk takes no writes")
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(self.changed.set)


def _words(error: Exception) -> str:
    """What SQLite said, without the statement and its values."""
    return str(getattr(error, "orig", None) or error)


def _trace(error: Exception) -> Exception | None:
    return None if is_expected(error) else error


class _Undone(Exception):
    """Rolls the transaction back for what its only piece of work raised."""


def _run(connection: Connection, item: _Work, *, alone: bool) -> None:
    if alone:
        try:
            item.result = item.run(connection)
        except Exception as error:
            if _of_the_disk(error):
                raise
            raise _Undone from error
        return
    driver: Any = connection.connection.dbapi_connection  # SQLAlchemy would compile each name
    driver.execute("SAVEPOINT piece")
    try:
        item.result = item.run(connection)
    except Exception as error:
        if _of_the_disk(error):
            raise
        driver.execute("ROLLBACK TO piece")
        item.error = error
    driver.execute("RELEASE piece")


def _of_the_disk(error: Exception) -> bool:
    """Whether it is no piece's fault; a malformed page has no class of its own."""
    return isinstance(error, OperationalError | sqlite3.OperationalError) or type(error) in (
        DatabaseError,
        sqlite3.DatabaseError,
    )


def _resolve(group: list[_Work]) -> None:
    for item in group:
        if item.done.done():  # the caller was cancelled; the work stands
            continue
        if isinstance(item.error, StopIteration):  # a future would not take it
            item.done.set_exception(RuntimeError("StopIteration in a transaction"))
        elif item.error is not None:
            item.done.set_exception(item.error)
        else:
            item.done.set_result(item.result)
