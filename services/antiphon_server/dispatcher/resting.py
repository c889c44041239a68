"""A turn that has nothing to do until a person decides: it takes no place, and no time."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Place(Protocol):
    """A turn's place among those that run."""

    def leave(self) -> None:
        """Give it to another turn."""
        ...

    async def take(self) -> None:
        """Have one again, when it is the turn's."""
        ...


class Rest:
    """Lets a turn rest while all that is done for it waits for people."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._under_way = 0
        self._waiting = 0
        self._held = 0
        self._waking = asyncio.Lock()
        self._clock: asyncio.Timeout | None = None
        self._left_s: float | None = None
        self.resting = False
        self.at_worker = False
        """Whether a worker works on the turn, who goes on with it at another server."""

    @property
    def may_be_let_go(self) -> bool:
        """Whether nothing is done for it here that another server could not go on with."""
        waits = self.resting and not self._held
        return waits or (self.at_worker and not self._under_way)

    @property
    def is_over(self) -> bool:
        """Whether its time is up."""
        return self._clock is not None and self._clock.expired()

    @property
    def left_s(self) -> float:
        """What is left of the time in which it may work; 0 when that is over."""
        when = self._clock.when() if self._clock is not None else None
        if when is not None:
            return max(0.0, when - asyncio.get_running_loop().time())
        assert self._left_s is not None, "a clock without a time stands still"
        return self._left_s

    def limit(self, clock: asyncio.Timeout) -> None:
        """Stop this clock while the turn rests."""
        self._clock = clock

    def begin(self, count: int) -> None:
        """So many things are done for the turn from now on."""
        self._under_way += count

    def end(self) -> None:
        """One of them is done."""
        self._under_way -= 1
        self._rest_if_all_wait()

    async def until(self, decision: Awaitable[T], *, held: bool = False) -> T:
        """What is done waits for a person; ``held``: something is open meanwhile."""
        self._waiting += 1
        self._held += held
        self._rest_if_all_wait()
        try:
            decided = await decision
        finally:
            self._waiting -= 1
            self._held -= held
        await self._wake()
        return decided

    async def aside(self, end: Awaitable[None]) -> None:
        """All of it waits for people, whatever was under way; it rests until it is woken."""
        self._under_way, self._waiting, self._held = 0, 1, 0
        self.at_worker = False
        self._rest_if_all_wait()
        await end

    async def wake(self) -> None:
        """What lay aside goes on, when it has a place."""
        self._waiting = 0
        await self._wake()

    def _rest_if_all_wait(self) -> None:
        if self.resting or not self._waiting or self._waiting < self._under_way:
            return
        self.resting = True
        self._place.leave()
        clock = self._clock
        if clock is not None and not clock.expired() and (when := clock.when()) is not None:
            self._left_s = when - asyncio.get_running_loop().time()
            clock.reschedule(None)

    async def _wake(self) -> None:
        async with self._waking:
            if not self.resting:
                return
            await self._place.take()
            self.resting = False
            if self._clock is not None and self._left_s is not None:
                self._clock.reschedule(asyncio.get_running_loop().time() + self._left_s)
