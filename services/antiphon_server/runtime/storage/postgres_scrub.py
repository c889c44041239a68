"""Has Postgres free the room of removed rows, however long that takes, beside all other work.

It is done by a connection of its own: it takes no place in the pool, has a limit of its own, and
says nothing of whether the server can be reached.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import SCRUB
from antiphon_server.runtime.storage.postgres_engine import connected, words_of

LIMIT_S = 3600.0
"""For one table: all of its pages that have changed since the last time are read."""
LOCK_S = 5.0
"""So long a table is waited for of which somebody makes an index, or frees the room."""
WAIT_S = 3.0
"""So long whoever asked waits."""
# Between pages it leaves the disk to others, as autovacuum does, and is ten times as fast.
_GENTLY = "SET vacuum_cost_delay = 2; SET vacuum_cost_limit = 2000"

log = logging.getLogger(__name__)


class PostgresScrub:
    """Vacuums tables, one at a time; who asks while one is under way waits for the next.

    One that can't be done is tried again, as often as ``SCRUB`` says; it is Postgres' own then.
    """

    def __init__(self, url: str, limit_s: float = LIMIT_S, wait_s: float | None = None) -> None:
        self._url = url
        self._limit_s = limit_s
        self._wait_s = WAIT_S if wait_s is None else wait_s
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Semaphore(1)

    async def scrub(self, tables: Sequence[str]) -> None:
        """Return when it is done; what takes longer than ``wait_s`` goes on."""
        asked = [self._ask(table) for table in tables]
        _, late = await asyncio.wait(asked, timeout=self._wait_s)
        if late:
            log.warning("the room of what was removed is being freed: %s", ", ".join(tables))

    async def close(self) -> None:
        """Leave what is not done to Postgres."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ask(self, table: str) -> "asyncio.Future[None]":
        asked = self._asked.get(table)
        if asked is None:
            asked = self._asked[table] = asyncio.get_running_loop().create_future()
        if table not in self._tasks:
            self._tasks[table] = asyncio.create_task(self._free(table), name=f"scrub.{table}")
        return asked

    async def _free(self, table: str) -> None:
        try:
            while table in self._asked:
                await self._done(table)
        finally:
            del self._tasks[table]
            if asked := self._asked.pop(table, None):  # the database is being closed
                asked.set_result(None)

    async def _done(self, table: str) -> None:
        """Vacuum it, if need be several times. Who asks once it is begun wants the next time."""
        waiting: list[asyncio.Future[None]] = []

        async def once() -> None:
            async with self._one_at_a_time:
                if asked := self._asked.pop(table, None):
                    waiting.append(asked)
                await self._vacuum(table)

        try:
            await retrying(once, SCRUB, Exception, on_wait=_say)
        except Exception as error:
            log.error("the room of %s is freed when Postgres does: %s", table, words_of(error))
        finally:
            for asked in waiting:
                asked.set_result(None)

    async def _vacuum(self, table: str) -> None:
        connection: Any = await connected(self._url, self._limit_s, LOCK_S)
        try:
            await connection.execute(_GENTLY)
            await connection.execute(f"VACUUM {table}", timeout=self._limit_s + LOCK_S)
        finally:
            connection.terminate()


async def _say(error: Exception, failures: int) -> None:
    log.warning("the room of removed rows is freed later (%d): %s", failures, words_of(error))
