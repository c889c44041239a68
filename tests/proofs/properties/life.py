"""A process that dies between two of its commits, in a test that goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from antiphon_server.runtime.storage.database import Database

T = TypeVar("T")


class Life:
    """What a process commits goes through here; once it is dead nothing comes back."""

    def __init__(self) -> None:
        self.dead = asyncio.Event()
        self._left: int | None = None
        self._running = 0

    async def quiet(self, turns: int = 12) -> None:
        """Wait until nothing is committed or read for so many turns of the loop."""
        still = 0
        while still < turns:
            busy = self._running and not self.dead.is_set()
            await asyncio.sleep(0.0001 if busy else 0)
            still = 0 if busy else still + 1

    def end_after(self, commits: int) -> None:
        """Die right after so many more commits, before anybody hears of the last."""
        self._left = commits
        if not commits:
            self.dead.set()

    def go_on(self) -> None:
        """Not die, unless it has happened."""
        self._left = None

    async def look(self, work: Awaitable[T]) -> T:
        """Do ``work`` that changes nothing; meanwhile it is not quiet."""
        self._running += 1
        try:
            return await work
        finally:
            self._running -= 1

    async def commit(self, work: Awaitable[T]) -> T:
        """Do ``work``, if it is still to be done, and tell what came of it, if it can be told."""
        if self.dead.is_set():
            asyncio.ensure_future(work).cancel()
            await _forever()
        self._running += 1
        try:
            result = await work
        finally:
            self._running -= 1
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self.dead.set()
        if self.dead.is_set():
            await _forever()
        return result


class MortalDatabase:
    """A database, as a process has it that may die."""

    def __init__(self, inner: Database, life: Life) -> None:
        self._inner = inner
        self._life = life

    @property
    def shared(self) -> bool:
        """See :class:`Database`."""
        return self._inner.shared

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """See :meth:`Database.write`."""
        return await self._life.commit(self._inner.write(work, short=short))

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`."""
        return await self._life.look(self._inner.read(work, snapshot=snapshot))

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`: nobody erases anything here."""

    async def close(self) -> None:
        """It is the machine's, and outlives the process."""


async def _forever() -> None:
    await asyncio.get_running_loop().create_future()


async def bury(database: Database) -> None:
    """End every other task of this loop, as the end of a process does.

    What it was committing is there, or not, when the next one looks.
    """
    others = asyncio.all_tasks() - {asyncio.current_task()}
    while others:
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=0.01)
        others = asyncio.all_tasks() - {asyncio.current_task()}
    await database.write(lambda connection: None)
