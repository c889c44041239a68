"""Forgets what has expired, and requests that need not be known any more."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from antiphon_server.memory.ports import MemoryStore
from antiphon_server.runtime.errors import DomainError

PAUSE_S = 30.0
BATCH = 100
REQUESTS_US = 24 * 3600 * 1_000_000
ACTOR = "services/memory"
log = logging.getLogger(__name__)


class Expiring:
    """A task of each server; what two of them forget at once is forgotten once.

    ``tell`` has the audit trail told of it.
    """

    def __init__(
        self,
        store: MemoryStore,
        tell: Callable[[], Awaitable[None]],
        pause_s: float = PAUSE_S,
    ) -> None:
        self._store, self._tell, self._pause_s = store, tell, pause_s

    async def run(self) -> None:
        """Forget now and then, until cancelled."""
        while True:
            try:
                await self.forget()
            except DomainError as error:
                log.warning("expired memories are forgotten later: %s", error)
            except Exception:
                log.exception("expired memories are forgotten later")
            await asyncio.sleep(self._pause_s)

    async def forget(self) -> int:
        """Forget all whose time is over; how many. Raises DomainError."""
        now_us, count = time.time_ns() // 1000, 0
        while ids := await self._store.expired(now_us, BATCH):
            for memory_id in ids:
                await self._store.forget(memory_id, now_us, ACTOR)
            await self._tell()
            await self._store.scrub()
            count += len(ids)
        await self._store.forget_requests(now_us - REQUESTS_US)
        return count
