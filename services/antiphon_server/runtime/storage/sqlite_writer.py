"""The one connection that writes to an SQLite file: group commit, one transaction at a time.

What waits while a transaction is under way is the next one, each piece in a savepoint of it, so
that syncs are shared under load and an idle system commits at once. A thread commits. Where
all pieces are short, their statements are made on the event loop before: between two statements
a thread gives up the interpreter's lock, and gets it back when the loop next waits
(docs/decisions/0040-short-writes-on-the-loop.md). What is done when the disk refuses is told in
docs/decisions/0012-when-the-disk-refuses.md.
"""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.damage import is_expected, is_locked

T = TypeVar("T")
MAX_GROUP = 256
PROBE_S = 1.0
LOCK_WAIT_MS = 5000
"""How long the thread waits where another process holds the file's lock. The loop never does."""
ALONE_WAIT_MS = 50

# SQLAlchemy passes on as they are what its listeners and the driver's own calls raise.
REFUSED = (DBAPIError, sqlite3.Error)

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Work:
    run: Callable[[Connection], Any]
    short: bool
    done: asyncio.Future[Any]
    bare: bool = False
    """Whether it is no transaction, and alone."""
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """What the thread is to commit; ``begun`` has all statements of it already."""

    group: list[_Work]
    begun: RootTransaction | None


class SqliteWriter:
    """Commits what is handed to :meth:`write`.

    ``writable`` says whether the disk accepts writes, and ``changed`` is set when that changes;
    ``opened`` is set when there is a file, or it is known that there can't be one.
    """

    def __init__(self, engine: Engine, most_waiting: int) -> None:
        self._engine = engine
        self._most_waiting = most_waiting
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Work] = deque()
        self._connection: Connection | None = None
        self._lock_wait_ms = LOCK_WAIT_MS
        self._job: _Job | None = None
        self._scheduled = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        # A daemon, so that a program that dies without close() does not hang.
        self._thread = threading.Thread(target=self._work, name="sqlite-write", daemon=True)
        self._refused_at = 0.0
        self.opened = threading.Event()
        self.writable = True
        self.changed = asyncio.Event()
        self._thread.start()

    async def write(self, run: Callable[[Connection], T], *, short: bool) -> T:
        """See :meth:`Database.write`."""
        result: T = await self._done(_Work(run, short, self._loop.create_future()))
        return result

    async def alone(self, run: Callable[[Connection], T]) -> T:
        """Run what is no transaction, behind what waits; raises as :meth:`write`.

        Locks are waited for as long as ``ALONE_WAIT_MS``: as long, no write is begun.
        """
        work = _Work(run, short=False, done=self._loop.create_future(), bare=True)
        result: T = await self._done(work)
        return result

    async def _done(self, item: _Work) -> Any:
        if len(self._waiting) >= self._most_waiting:
            raise DomainError(Reason.OVERLOADED, resource="store", retry_after=1.0)
        self._waiting.append(item)
        self._idle.clear()
        if self._job is None:
            self._schedule()
        return await item.done

    async def finish(self) -> None:
        """Commit what waits, and end the thread."""
        await self._idle.wait()
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def close(self) -> None:
        """Close the connection, off the loop; if it is the last one, that empties the WAL."""
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    def _schedule(self) -> None:
        """Begin the next group behind whoever is about to add to it."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._next_group)

    def _next_group(self) -> None:
        self._scheduled = False
        if not self._waiting:
            self._idle.set()
            return
        size = min(len(self._waiting), MAX_GROUP)
        group = [self._waiting.popleft()]
        while len(group) < size and not group[0].bare and not self._waiting[0].bare:
            group.append(self._waiting.popleft())
        self._job = _Job(group, None)
        if self.writable and self.opened.is_set() and all(item.short for item in group):
            self._job.begun = self._made_here(group)
        self._jobs.put(self._job)

    def _made_here(self, group: list[_Work]) -> RootTransaction | None:
        """Make the statements of a group; None if that takes a wait, or one that is alone fails."""
        begun: RootTransaction | None = None
        try:
            begun = self._begin(0)
            for item in group:
                _run(begun.connection, item, alone=len(group) == 1)
        except BaseException as error:
            if begun is not None:
                with contextlib.suppress(*REFUSED):
                    begun.rollback()
            if not isinstance(error, Exception):
                raise
            return None
        return begun

    def _begin(self, lock_wait_ms: int) -> RootTransaction:
        return self._waiting_for_locks(lock_wait_ms).begin()

    def _waiting_for_locks(self, lock_wait_ms: int) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        if self._lock_wait_ms != lock_wait_ms:
            driver: Any = self._connection.connection.dbapi_connection
            driver.execute(f"PRAGMA busy_timeout={lock_wait_ms}")
            self._lock_wait_ms = lock_wait_ms
        return self._connection

    def _finished(self) -> None:
        """Tell the callers of the group that is through, and go on."""
        job, self._job = self._job, None
        assert job is not None
        _resolve(job.group)
        self._schedule()

    def _work(self) -> None:
        self._open()
        while (job := self._next_job()) is not None:
            self._do(job)

    def _open(self) -> None:
        """Make the file before anybody reads: readers can't. A failure shows at the first write."""
        try:
            self._connection = self._engine.connect()
        except REFUSED as error:
            log.error("the database could not be opened: %s", words(error), exc_info=trace(error))
        finally:
            self.opened.set()

    def _next_job(self) -> _Job | None:
        """The next job; while the disk refuses, try it now and then."""
        while not self.writable:
            try:
                return self._jobs.get(timeout=PROBE_S)
            except queue.Empty:
                self._commit_nothing()
        return self._jobs.get()

    def _do(self, job: _Job) -> None:
        """Commit and tell the loop, whatever happens: this thread must live on."""
        try:
            self._commit(job.group, job.begun)
        except BaseException as error:
            log.exception("a transaction failed in a way that is not the database's")
            for item in job.group:
                item.error = item.error or DomainError(Reason.STORE_UNAVAILABLE)
                item.error.__cause__ = item.error.__cause__ or error
        try:
            self._loop.call_soon_threadsafe(self._finished)
        except RuntimeError:
            log.warning("the event loop ended before its writes were answered")

    def _commit(self, group: list[_Work], begun: RootTransaction | None = None) -> None:
        """Commit the group; if that fails, each piece alone, so that one can't sink others.

        A lock is no piece's fault: all are refused, and none waits for it behind the others.
        """
        try:
            if group[0].bare:
                group[0].result = group[0].run(self._waiting_for_locks(ALONE_WAIT_MS))
            elif begun is None:
                with self._begin(LOCK_WAIT_MS) as transaction:
                    for item in group:
                        _run(transaction.connection, item, alone=len(group) == 1)
            else:
                with begun:
                    pass
            self._set_writable(writable=True)
        except _Undone as undone:
            group[0].error = undone.__cause__
        except REFUSED as error:
            if len(group) > 1 and not is_locked(error):
                for item in group:
                    item.error = None
                    self._commit([item])
            else:
                known = trace(error) if self.writable else None
                log.error("a commit failed: %s", words(error), exc_info=known)
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
            with self._begin(LOCK_WAIT_MS) as transaction:
                driver: Any = transaction.connection.connection.dbapi_connection
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


def words(error: Exception) -> str:
    """What SQLite said, without the statement and its values."""
    return str(getattr(error, "orig", None) or error)


def trace(error: Exception) -> Exception | None:
    """The error, if its words are not all that there is to say."""
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
