"""What has expired is forgotten, a piece at a time."""

import asyncio
import random

from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.expiring import Expiring
from antiphon_server.auth.service.clock import micros
from antiphon_server.runtime.concurrency.tasks import every

EVERY_S = 600.0
PAUSE_S = 0.1
PIECE = 500


class CleanUp:
    """Runs in the background, so that no call of anybody has to."""

    def __init__(
        self, store: Expiring, clock: Clock, piece: int = PIECE, every_s: float = EVERY_S
    ) -> None:
        self._store = store
        self._now = micros(clock)
        self._piece = piece
        self._every_s = every_s

    async def run(self) -> None:
        """Clean up every ``every_s`` seconds or so, not all processes at once, until cancelled."""
        await every(self._every_s * random.uniform(0.8, 1.2), self._all, at_once=False)

    async def _all(self) -> None:
        more = True
        while more:
            more = await self.once()
            await asyncio.sleep(PAUSE_S)

    async def once(self) -> bool:
        """Do a piece of it; whether there is more."""
        now = self._now()
        return await self._store.forget(now, self._piece) >= self._piece
