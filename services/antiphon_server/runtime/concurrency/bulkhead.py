"""A bulkhead: so many calls to one place at once, and so many that wait for it, for so long.

As in M. Nygard, *Release It!*: what one place holds up is what it was given, and nobody else's. It
is used on one event loop.
"""

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """``calls`` are made at once; ``waiting`` more wait, each for ``wait_s`` seconds at most."""

    calls: int
    waiting: int
    wait_s: float


class NoPlace(Exception):
    """All places are taken, and none came free; ``waited_s`` is 0 if nobody else may wait."""

    def __init__(self, bounds: Bounds, waited_s: float) -> None:
        super().__init__(f"{bounds.calls} calls at once, {bounds.waiting} may wait")
        self.bounds, self.waited_s = bounds, waited_s


class Bulkhead:
    """Places for calls; an async context manager around each. Raises NoPlace when it begins."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._line = deque[asyncio.Future[None]]()
        self.taken = 0
        """How many calls have a place."""
        self.refused = 0
        """How many got none."""

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether the next call has to wait; who waits is given each place that comes free."""
        return self.taken >= self._bounds.calls

    async def __aenter__(self) -> None:
        if self.full:
            await self._wait()
        else:
            self.taken += 1

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        """Give the place to who has waited for the longest."""
        if self._line:
            self._line.popleft().set_result(None)
        else:
            self.taken -= 1

    async def _wait(self) -> None:
        if len(self._line) >= self._bounds.waiting:
            raise self._refused(0.0)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            await asyncio.wait([place], timeout=self._bounds.wait_s)
        except asyncio.CancelledError:
            self._go(place)
            raise
        if not place.done():
            self._line.remove(place)
            raise self._refused(self._bounds.wait_s)

    def _go(self, place: "asyncio.Future[None]") -> None:
        """Wait no more; a place that came just now is the next one's."""
        if place.done():
            self._leave()
        else:
            self._line.remove(place)

    def _refused(self, waited_s: float) -> NoPlace:
        self.refused += 1
        return NoPlace(self._bounds, waited_s)
