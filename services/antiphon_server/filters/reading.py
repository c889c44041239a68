"""Searching texts without holding up who else is served: a little on the event loop, else beside.

The interpreter runs one thread at a time, and leaves it after 5 ms when another waits. So one
thread searches, and goes on with each search by turns: a large text holds up no small one for long,
and what nobody waits for any more is not gone on with.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.finding.searching import Search
from antiphon_server.runtime.concurrency.bulkhead import Bounds, Bulkhead, NoPlace
from antiphon_server.runtime.errors import DomainError, Reason

LONG = 16 * 1024
"""Of more characters nothing is done on the event loop: to normalise them takes milliseconds."""
HERE_S, STEP_S = 0.002, 0.005
"""So long a search may take on the event loop, and at a time in the thread."""
BOUNDS = Bounds(calls=8, waiting=128, wait_s=30.0)
"""Searches that take turns, and those that wait until one of them is through."""
RETRY_S = 1.0
T = TypeVar("T")


class Readers:
    """Where searches go on."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self._places = Bulkhead(bounds)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="filters")

    async def read(self, search: Search, size: int) -> Sequence[Found]:
        """All that a search finds in a text of that size.

        Raises DomainError OVERLOADED where too many wait.
        """
        if size <= LONG and await _here(search):
            return search.found()
        try:
            async with self._places:
                while not await self._beside(lambda: search.go_on(STEP_S)):
                    pass
                return await self._beside(search.found)
        except NoPlace:
            raise DomainError(Reason.OVERLOADED, retry_after=RETRY_S) from None

    async def _beside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Let the thread go; the step that it is at is finished."""
        self._thread.shutdown(wait=False)


async def _here(search: Search) -> bool:
    """Whether it is through in a moment; others are served between two that take long."""
    began = time.perf_counter()
    done = search.go_on(HERE_S)
    if time.perf_counter() - began > HERE_S / 4:
        await asyncio.sleep(0)
    return done
