"""Work on what somebody else sends, who may send more than is good for all others."""

import asyncio
import time
from collections.abc import Callable

SHARE = 0.1
BURST_S = 0.01


class LoopShare:
    """Has one stream's work take no more than a share of the event loop, but for a short burst.

    What it waits is not read meanwhile: so whoever sends too much is slowed down.
    """

    __slots__ = ("_at", "_clock", "_owed")

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._at, self._owed = clock(), 0.0

    async def worked(self, began: float) -> None:
        """Note the work since ``began``, by the clock; wait if that was more than the share."""
        now = self._clock()
        self._owed = max(0.0, self._owed - (began - self._at) * SHARE) + now - began
        self._at = now
        if self._owed > BURST_S:
            await asyncio.sleep(self._owed / SHARE)
