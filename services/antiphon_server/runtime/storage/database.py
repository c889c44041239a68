"""Transactions: the seam between the services' SQL and the database that runs it.

SQL is written once, as functions of a synchronous SQLAlchemy connection; how and
where they run is the adapter's business.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """Runs functions in database transactions; what may take long or wait, off the event loop.

    ``shared`` says whether other processes may write to the database too. Data read from a shared
    database may be outdated a moment later, so nothing that grants access is cached then.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes may write to the database too."""
        ...

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """Run ``work`` in a transaction and return its result after the commit is on disk.

        ``short`` says that it changes a few rows by an index: an embedded database makes its
        statements on the event loop then, and no more than the commit is left to a thread.

        If ``work`` raises, its own changes are undone and the exception is raised here. It may
        share a transaction with other work, and runs once more on its own if that transaction
        fails. It must not block on anything but the connection. Cancelling this call does not undo
        the work.

        Raises DomainError STORE_UNAVAILABLE if the commit failed and nothing was stored,
        SERVICE_UNAVAILABLE if a remote database did not say whether it committed (repeat with the
        same key), and OVERLOADED if too much work is waiting.
        """
        ...

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """Run ``work`` on committed data; with ``snapshot``, on that of one moment.

        Without, it is a look-up of a few rows by an index, which an embedded database answers at
        once, on the event loop: what reads more, or has to search, asks for a snapshot.
        """
        ...

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """Return when what was removed from ``tables`` is not in the database's files any more.

        As far as the database has means for that. SQLite overwrites what is removed; its log of
        writes is emptied here. With ``copies`` it is written anew as well, unless it is too large:
        of rows that it has moved it leaves copies, which it does not overwrite. Postgres frees the
        rows' room, and overwrites it when that is used again: what takes longer than some seconds
        goes on when this returns, and is tried again where it can't be done. Others read and write
        meanwhile.

        Raises DomainError STORE_UNAVAILABLE (also if SQLite's log of writes is read all the time:
        the same again may be able to), OVERLOADED.
        """
        ...

    async def close(self) -> None:
        """Finish the accepted work, then release files and threads."""
        ...


class DatabaseUnusable(Exception):
    """The database that was asked for can't be used; the message says why and what to do."""


class Store(Database, Protocol):
    """A database that says how it is.

    ``changed`` is set when ``writable``, whether it takes writes, has changed.
    """

    changed: asyncio.Event

    @property
    def writable(self) -> bool:
        """See the class."""
        ...
