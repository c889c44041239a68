"""Following the trail of security events as it grows."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from antiphon_server.auth.model.chain import SealedEvent, Selection
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.ports.security_events import SecurityEventStore
from antiphon_server.auth.service.audit_trail import visible_to
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.errors import DomainError, Reason, invalid

PAGE = 200
PER_USER = 8
IN_ALL = 64
LOOK_S = 0.5
"""How often a watch asks whether it still may: its right is gone for at most 1 s, then it ends.

Events that other processes record are found as often."""
QUIET_S = 15.0

Check = Callable[[], Awaitable[object]]
"""Raises DomainError when the caller may not go on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The next events, and the place up to which all was told or filtered out."""

    events: Sequence[SealedEvent]
    progress: int


class AuditWatches:
    """All watches of this process; each is a place in the store, so slow readers cost nothing."""

    def __init__(self, store: SecurityEventStore) -> None:
        self._store = store
        self._open: Counter[UserId] = Counter()
        self._wakeups: set[asyncio.Event] = set()
        self._draining = False

    def on_event(self, _event: SecurityEvent, _sealed: SealedEvent) -> None:
        """Something was committed."""
        self._wake()

    def drain(self) -> None:
        """End all watches: the server stops."""
        self._draining = True
        self._wake()

    async def watch(
        self, caller: Principal, which: Selection, after: int | None, check: Check
    ) -> AsyncGenerator[Batch, None]:
        """Events behind ``after``, or from now on, until ``check`` raises.

        The first batch comes at once. Raises DomainError INVALID_ARGUMENT, LIMIT_EXCEEDED,
        DRAINING, and what ``check`` raises.
        """
        with self._one_of(caller.user_id) as wakeup:
            head = await self._store.head()
            if after is not None and after > head.sequence:
                raise invalid("after_sequence", "is beyond the newest event")
            place = head.sequence if after is None else after
            yield Batch((), place)
            told = asyncio.get_running_loop().time()
            while True:
                wakeup.clear()
                batch = await self._next(caller, which, place)
                # Between reading and telling, so that nobody is told what they may not know.
                await check()
                self._go_on_or_drain()
                now = asyncio.get_running_loop().time()
                if batch.events or now - told >= QUIET_S:
                    yield batch
                    told = now
                place = batch.progress
                if len(batch.events) < PAGE:
                    await _woken(wakeup)

    async def _next(self, caller: Principal, which: Selection, place: int) -> Batch:
        # The head is read first: all that is before it is in the answer, or filtered out.
        head = await self._store.head()
        visible = visible_to(caller, which)
        if head.sequence == place or visible is None:
            return Batch((), head.sequence)
        events = await self._store.after(place, visible, PAGE)
        last = events[-1].sequence if events else place
        return Batch(events, last if len(events) == PAGE else max(last, head.sequence))

    @contextmanager
    def _one_of(self, user_id: UserId) -> Iterator[asyncio.Event]:
        self._go_on_or_drain()
        if self._open[user_id] >= PER_USER or self._open.total() >= IN_ALL:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{PER_USER} watches a user")
        self._open[user_id] += 1
        wakeup = asyncio.Event()
        self._wakeups.add(wakeup)
        try:
            yield wakeup
        finally:
            self._wakeups.discard(wakeup)
            self._open[user_id] -= 1
            self._open += Counter()  # forgets those that have none

    def _go_on_or_drain(self) -> None:
        if self._draining:
            raise DomainError(Reason.DRAINING, retry_after=1.0)

    def _wake(self) -> None:
        for wakeup in self._wakeups:
            wakeup.set()


async def _woken(wakeup: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_S):
            await wakeup.wait()
