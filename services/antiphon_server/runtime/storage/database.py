"""Transactions: the seam between the services' SQL and the database that runs it.

SQL is written once, as functions of a synchronous SQLAlchemy connection; how and
where they run is the adapter's business.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """Runs functions in transactions, off the event loop.

    ``shared`` says whether other processes may write to it as well: what was read from
    such a database may be wrong the moment after, so nothing that lets anybody in is kept.
    """

    @property
    def shared(self) -> bool:
        """See the class."""
        ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction and return after its commit is on disk.

        What ``work`` raises undoes its changes alone and is raised here. It may
        run beside others in one transaction, and must not block on anything but
        the connection; it is run once more, on its own, if a transaction that it
        shared failed. Cancelling the call does not undo it.

        Raises DomainError STORE_UNAVAILABLE if the commit failed (nothing was
        stored), SERVICE_UNAVAILABLE if a database elsewhere did not say (it may be: to be
        repeated under the same key), and OVERLOADED if too much work waits.
        """
        ...

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """Run ``work`` on a committed view of the data: with ``snapshot`` that of one moment.

        Without, each statement sees what is committed when it runs. For a single one that is
        the same, and spares a database elsewhere two round trips of three.

        Raises DomainError STORE_UNAVAILABLE if the database cannot be read.
        """
        ...

    async def close(self) -> None:
        """Finish what was accepted, then release files and threads."""
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
