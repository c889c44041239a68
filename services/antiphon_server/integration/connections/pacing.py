"""How much of what others send is taken in a second."""

import asyncio
import time

MOST_A_SECOND = 1_000
MOST_BYTES_A_SECOND = 16 * 1024 * 1024
"""Whoever says more waits until the second is over, and so do those whose answers are behind."""


class Pace:
    """So many messages and bytes a second are taken; more are left to whoever sends them."""

    def __init__(self) -> None:
        self._began, self._count, self._bytes = time.monotonic(), 0, 0

    async def keep(self, size: int) -> None:
        """Count a message, and wait if there were too many."""
        self._count += 1
        self._bytes += size
        passed = time.monotonic() - self._began
        if passed >= 1:
            self._began, self._count, self._bytes = time.monotonic(), 0, 0
        elif self._count > MOST_A_SECOND or self._bytes > MOST_BYTES_A_SECOND:
            await asyncio.sleep(1 - passed)
