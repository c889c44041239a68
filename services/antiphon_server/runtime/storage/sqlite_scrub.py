"""Has the files of SQLite keep nothing of what was removed.

What is removed is overwritten where it stands (`PRAGMA secure_delete`). Two places are left. The
log of writes has pages as they were: it is emptied. And where SQLite balances a tree it moves rows
to other pages and leaves their copies in the free room of the old ones (`rebuildPage` in btree.c),
which nothing overwrites: the database is written anew (https://www.sqlite.org/lang_vacuum.html).
"""

import asyncio
import logging
import sqlite3
import time
from typing import Any

from sqlalchemy import Connection

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.sqlite_writer import SqliteWriter

PAUSE_S = 0.1
LIMIT_S = 10.0
"""How long it is attempted again and again to empty the log while it is read."""
MOST_REWRITTEN = 128 << 20
"""Bytes of a database that is written anew: for most of a second nobody else writes."""
RESTS = 4
"""So many times as long as that took it is not done again: who asks meanwhile shares the next."""

_SIZE = ("page_count", "page_size")
log = logging.getLogger(__name__)


class SqliteScrub:
    """Scrubs the files of a database, by the one connection that writes to it."""

    def __init__(self, writer: SqliteWriter) -> None:
        self._writer = writer
        self._asked: asyncio.Future[None] | None = None
        self._rewriting: asyncio.Task[None] | None = None

    async def empty_log(self) -> None:
        """Move the log of writes into the database and empty it, behind what waits.

        While it is being read it can't be emptied. That is attempted for ``LIMIT_S``, and between
        the attempts, which are short, others write. Raises DomainError STORE_UNAVAILABLE if it was
        read all the time, and as :meth:`Database.write`.
        """
        end = time.monotonic() + LIMIT_S
        while not await self._writer.alone(_empty_log):
            if time.monotonic() >= end:
                log.warning("the write-ahead log was read for %.0f s, and is not emptied", LIMIT_S)
                raise DomainError(Reason.STORE_UNAVAILABLE, retry_after=LIMIT_S)
            await asyncio.sleep(PAUSE_S)

    async def rewrite(self) -> None:
        """Return when the database was written anew since this was called, and its log is empty.

        A larger one than ``MOST_REWRITTEN`` stays as it is. Raises DomainError as
        :meth:`empty_log`.
        """
        if self._asked is None:
            self._asked = asyncio.get_running_loop().create_future()
        if self._rewriting is None or self._rewriting.done():
            self._rewriting = asyncio.create_task(self._rewrite_all(), name="sqlite.rewriting")
        await asyncio.shield(self._asked)

    async def close(self) -> None:
        """Do no more: who waits is refused."""
        if self._rewriting is not None:
            self._rewriting.cancel()
            await asyncio.wait([self._rewriting])
        if self._asked is not None:
            _refuse(self._asked, DomainError(Reason.STORE_UNAVAILABLE))

    async def _rewrite_all(self) -> None:
        while (asked := self._asked) is not None:
            self._asked, took_s = None, 0.0
            try:
                took_s = await self._rewrite()
            except DomainError as error:
                _refuse(asked, error)
            except BaseException:
                _refuse(asked, DomainError(Reason.STORE_UNAVAILABLE))
                raise
            else:
                asked.set_result(None)
            await asyncio.sleep(took_s * RESTS)

    async def _rewrite(self) -> float:
        """Not while the log is read, which would grow by as much; how many seconds it took."""
        await self.empty_log()
        took_s = await self._writer.alone(_rewrite)
        await self.empty_log()
        return took_s


def _refuse(asked: "asyncio.Future[None]", error: DomainError) -> None:
    asked.set_exception(error)
    asked.exception()  # whoever asked may have left


def _empty_log(connection: Connection) -> bool:
    """Whether it is empty now. Readers are waited for as long as the connection waits for locks.

    What can be moved without waiting for anybody is moved before.
    """
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    (busy, _, _) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _rewrite(connection: Connection) -> float:
    """Write all pages anew, unless they are many; the seconds that it took."""
    driver: Any = connection.connection.dbapi_connection
    pages, of_bytes = (driver.execute(f"PRAGMA {it}").fetchone()[0] for it in _SIZE)
    if pages * of_bytes > MOST_REWRITTEN:
        log.warning("the database is large: copies of what was removed may stay in its free room")
        return 0.0
    began = time.monotonic()
    try:
        driver.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        log.warning("the disk has no room to write the database anew: copies may stay")
    return time.monotonic() - began
