"""Waiting for what other processes do."""

import asyncio
import time
from collections.abc import Awaitable, Callable

# For what must happen: no promise about how soon, for machines have other work, too.
PATIENCE_S = 120.0
# For what is told when it happens: who is not told finds it out after 25 s and more.
SOON_S = 20.0


async def until(holds: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Wait until something holds. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def until_it(holds: Callable[[], Awaitable[object]], timeout_s: float = PATIENCE_S) -> float:
    """Wait until what has to be asked for holds; how long it took, in s. Raises TimeoutError."""
    began = time.monotonic()
    async with asyncio.timeout(timeout_s):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return time.monotonic() - began
