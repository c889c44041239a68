"""Tells a memory of others all that is remembered: in order, at least once, and what is to go.

Each change takes the next revision of its scope, so what it was told is a revision of each scope,
and what it was not told is what has a later one. Nothing is kept beside that: however long it was
away, and if it is a new one, it is told each memory once, as it is then.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from antiphon_server.memory.external.model import (
    MOST_CHANGES,
    Behind,
    Change,
    Described,
    Place,
    Standing,
)
from antiphon_server.memory.external.ports import ExternalMemory, ExternalProgress
from antiphon_server.memory.external.taking import Taking
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.errors import DomainError, Reason

CALL_S = 10.0
"""What a call may take; a Remember takes longer than a Search, and nobody waits for it."""
LEASE_S, RENEWED_S = 60.0, 45.0
"""So long nobody else tells it, renewed when less than that is left: four calls take less."""
PAUSE_S = 0.5
MOST_PAUSE_S = 5.0
SHARE = 20
"""It looks for what is new for at most a twentieth of its time."""
DESCRIBE_S = 10.0
AWAY = RetryPolicy(0.5, longest_s=5.0)
T = TypeVar("T")
log = logging.getLogger(__name__)


def _now_us() -> int:
    return time.time_ns() // 1000


class Telling:
    """Tells the memory ``name``. ``run`` is the task; ``back`` hears that it is back."""

    def __init__(
        self,
        name: str,
        memory: ExternalMemory,
        progress: ExternalProgress,
        owner: str,
        back: Callable[[], None] = lambda: None,
        now_us: Callable[[], int] = _now_us,
        call_s: float = CALL_S,
    ) -> None:
        self._name, self._memory, self._progress, self._owner = name, memory, progress, owner
        self._back, self._now_us, self._call_s = back, now_us, call_s
        self._described = Described("")
        self._describe_at = 0.0
        self._held_until_us = 0
        self._standing = Standing("", 0)
        self._taking = Taking()
        self.error: Reason | None = None
        """Why it can't be told now."""
        self.told_us = 0
        """When it was told something last, or had been told all."""

    async def run(self) -> None:
        """Tell it what is new, until cancelled."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                more = await self.tell()
                failures = 0
                self._told()
            except DomainError as error:
                failures += 1
                self._failed(error.reason)
            except Exception:
                failures += 1
                self._failed(Reason.INTERNAL)
                log.exception("the external memory can't be told")
            if failures:
                await asyncio.sleep(AWAY.pause(failures))
            elif not more:
                took_s = time.monotonic() - began
                await asyncio.sleep(min(max(PAUSE_S, SHARE * took_s), MOST_PAUSE_S))

    async def tell(self) -> bool:
        """Tell it some of what waits; whether more may.

        Raises DomainError if it can't be told, or the store not be read.
        """
        if not await self._is_ours():
            return False
        await self._describe()
        now_us = self._now_us()
        most = self._taking.at_once(self._described.max_changes)
        behind = await self._progress.behind(self._name, most, now_us)
        if behind.changes:
            await self._remember(behind.changes)
        if behind.reached and not await self._kept(behind, now_us):
            return True
        followed = await self._follow_up()
        self.told_us = self._now_us()
        return bool(behind.reached) or followed

    @property
    def passed_over(self) -> int:
        """How many changes it refused for good, since this server began."""
        return self._taking.passed_over

    async def begin_anew(self) -> None:
        """Have it told everything, by whichever server tells it."""
        await self._progress.begin_anew(self._name, None)

    async def _remember(self, changes: Sequence[Change]) -> None:
        """Tell it these. Raises DomainError if they have to be told again, fewer at once."""
        try:
            await self._called(self._memory.remember(changes))
        except DomainError as error:
            if not self._taking.is_refused(len(changes), self._now_us()):
                raise
            which = changes[0].memory_id
            log.warning("the external memory %s refuses %s: %s", self._name, which, error.reason)
        else:
            self._taking.taken()

    async def _is_ours(self) -> bool:
        """Whether this server tells it: one does, so that what is told comes in order."""
        now_us = self._now_us()
        if self._held_until_us - now_us > RENEWED_S * 1e6:
            return True
        until_us = now_us + int(LEASE_S * 1e6)
        standing = await self._progress.claim(self._name, self._owner, now_us, until_us)
        if standing is None:
            self._held_until_us = 0
            return False
        self._standing, self._held_until_us = standing, until_us
        return True

    async def _kept(self, behind: Behind, now_us: int) -> bool:
        """Keep that it was told; False if it has to be told all from now on."""
        kept = await self._progress.advance(self._name, self._standing, behind, now_us)
        if not kept:
            self._held_until_us = 0  # how it stands is read anew
        return kept

    async def _describe(self) -> None:
        """Ask which store it is, now and then, and first after it was away."""
        if self.error is None and time.monotonic() < self._describe_at:
            return
        self._described = await self._called(self._memory.describe())
        self._describe_at = time.monotonic() + DESCRIBE_S
        if self._described.store_id != self._standing.store_id:
            if self._standing.store_id:
                log.warning("the external memory %s is another store: it is told all", self._name)
            await self._progress.begin_anew(self._name, self._described.store_id)
            self._held_until_us = 0
            await self._is_ours()

    async def _follow_up(self) -> bool:
        """Ask of what was to go whether it is gone; what is not is told again.

        In parts, since it may look for one after the other: what comes of each is kept.
        """
        asked = await self._progress.unconfirmed(self._name, self._now_us(), MOST_CHANGES)
        most = self._described.max_changes
        for start in range(0, len(asked), most):
            if not await self._is_ours():
                return False
            await self._ask_of(asked[start : start + most])
        return len(asked) == MOST_CHANGES

    async def _ask_of(self, asked: Sequence[Change]) -> None:
        places = [Place(it.memory_id, it.scope) for it in asked]
        left = set(await self._called(self._memory.still_there(places)))
        again = [it for it in asked if it.memory_id in left]
        gone = [it.memory_id for it in asked if it.memory_id not in left]
        now_us = self._now_us()
        await self._progress.confirm(self._name, gone, [it.memory_id for it in again], now_us)
        if again:
            await self._called(self._memory.remember(again))

    async def _called(self, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._call_s):
                return await call
        except TimeoutError:
            raise DomainError(Reason.TOOL_TIMEOUT, tool=self._name) from None

    def _told(self) -> None:
        if self.error is not None:
            log.warning("the external memory %s is told again", self._name)
            self._back()
        self.error = None

    def _failed(self, reason: Reason) -> None:
        if reason is not self.error:
            log.warning("the external memory %s can't be told: %s", self._name, reason)
        self.error = reason
