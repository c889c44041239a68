"""Events that somebody outside can cause at will: told at once when rare, counted when not.

A flood fills neither the store nor memory: of each sort a few are told within a minute, and
at its end one event stands for all the others. Who is nobody can come from any number of
addresses: what strangers cause has a budget for each kind of event besides.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.security_events import SecurityEvents
from antiphon_server.auth.service.budget import Budget
from antiphon_server.auth.service.security_events import ANONYMOUS, AUTH, completed
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError

WINDOW_S = 60.0
MOST = 10_000
TICK_S = 0.2
MOST_AT_ONCE = 500
OTHERS = "others"
"""The actor and address of an event that stands for more callers than are told apart."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """One event for ``count``."""

    event: SecurityEvent
    count: int

    def add(self, other: "_Held") -> None:
        self.event = _merged(self.event, other.event)
        self.count += other.count


@dataclass(slots=True)
class _Window:
    """The minute of one sort: how many of it were told, and what is told when it ``ends``."""

    ends: float
    told: int = 0
    held: _Held | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is told at once, and again as it is until it was taken: the ``key`` says it is that."""

    key: str
    events: Sequence[SecurityEvent]


class Coalesced:
    """Tells events whose detail has a ``count``.

    ``run`` must be running for what is held to be told. What is held when the process is
    killed is lost: at most what a minute counted of each sort; of those that were noted the
    first ones too, if they came in its last moment, or within a flood of thousands of sorts.

    ``own`` is the actor of what happens here outside of any call.

    No call looks at all the sorts: every minute is as long, so those that began first end first.
    """

    def __init__(
        self, events: SecurityEvents, clock: Clock, most: int = MOST, own: str = AUTH
    ) -> None:
        self._events = events
        self._clock = clock
        self._most = most
        self._own = own
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()
        self._due: OrderedDict[Hashable, _Held] = OrderedDict()
        self._refused: _Batch | None = None
        self._held = 0
        self._budgets: dict[type, Budget] = {}
        self._holding = asyncio.Event()

    async def record(self, sort: Hashable, event: SecurityEvent, burst: int = 1) -> None:
        """Record one of the first ``burst`` of its sort within a minute now, hold another one."""
        sort, window, event = self._sorted(sort, completed(event, self._own))
        if self._take(window, event, burst):
            await self._events.record(event)
        else:
            self._hold(window, event)

    @contextmanager
    def turn(self, sort: Hashable, event: SecurityEvent) -> Iterator[bool]:
        """Whether the block records it, as the first of its sort within a minute.

        It does so with the act that the event tells of; if it raises, the next one is the first.
        """
        _, window, event = self._sorted(sort, completed(event, self._own))
        first = self._take(window, event, 1)
        try:
            yield first
        except BaseException:
            window.told -= first
            raise

    def hold(self, sort: Hashable, event: SecurityEvent) -> None:
        """Count one that is not to be told before its minute ends."""
        _, window, event = self._sorted(sort, completed(event, self._own))
        self._hold(window, event)

    def record_soon(self, sort: Hashable, event: SecurityEvent) -> None:
        """The same for those who can't wait: the first is told in a moment."""
        sort, window, event = self._sorted(sort, completed(event, self._own))
        first = not window.told and self._may_tell(event)
        window.told += 1
        if first or sort in self._due:
            self._owe(sort, _Held(event, 1))
        else:
            self._hold(window, event)

    async def run(self) -> None:
        """Tell what is held when its time comes."""
        while True:
            await self._holding.wait()
            await asyncio.sleep(TICK_S)
            await self.flush()

    async def flush(self, *, all_of_it: bool = False) -> None:
        """Tell what is due, or all that is held; what can't be stored now is held on."""
        self._end_windows(all_of_them=all_of_it)
        more = True
        while more and (self._due or self._refused):
            more = await self._told() and all_of_it
        if not (self._due or self._refused or self._held):
            self._holding.clear()

    async def _told(self) -> bool:
        """Whether the store took what is due longest; what it did not take is told again."""
        batch, self._refused = self._refused or self._batch(), None
        try:
            await self._events.record(*batch.events, key=batch.key)
        except DomainError as error:
            log.warning("security events are held back: %s", error)
            self._refused = batch
            return False
        except asyncio.CancelledError:
            self._refused = batch  # it may have arrived: under its key it counts once
            raise
        return True

    def _batch(self) -> _Batch:
        size = min(len(self._due), MOST_AT_ONCE)
        due = [self._due.popitem(last=False) for _ in range(size)]
        return _Batch(new_id("req"), [_counted(held) for _, held in due])

    def __len__(self) -> int:
        """How many sorts are told apart now."""
        return len(self._windows.keys() | self._due.keys())

    def _sorted(
        self, sort: Hashable, event: SecurityEvent
    ) -> tuple[Hashable, _Window, SecurityEvent]:
        """Under which sort the event counts, that one's minute, and what is known of the event."""
        self._end_windows()
        if sort not in self._windows and not self._has_room(event):
            sort = type(event.detail).__name__
            event = replace(event, actor=OTHERS, address=OTHERS, session_id="", user_id="")
        window = self._windows.get(sort)
        if window is None:
            window = self._windows[sort] = _Window(self._clock() + WINDOW_S)
        return sort, window, event

    def _has_room(self, event: SecurityEvent) -> bool:
        """Whether one more sort is told apart."""
        if event.actor == ANONYMOUS and not self._budget(event).has_any(self._clock()):
            return False
        return max(len(self._windows), len(self._due)) < self._most

    def _take(self, window: _Window, event: SecurityEvent, burst: int) -> bool:
        """Whether it is one of the first of its minute; then it counts as told."""
        if window.told >= burst or not self._may_tell(event):
            return False
        window.told += 1
        return True

    def _may_tell(self, event: SecurityEvent) -> bool:
        return event.actor != ANONYMOUS or self._budget(event).spend(self._clock())

    def _budget(self, event: SecurityEvent) -> Budget:
        return self._budgets.setdefault(type(event.detail), Budget(self._clock()))

    def _hold(self, window: _Window, event: SecurityEvent) -> None:
        """Until the minute ends."""
        held = _Held(event, 1)
        if window.held is None:
            window.held = held
            self._held += 1
        else:
            window.held.add(held)
        self._holding.set()

    def _owe(self, sort: Hashable, held: _Held) -> None:
        """Until the next tick."""
        if sort in self._due:
            self._due[sort].add(held)
        else:
            self._due[sort] = held
        self._holding.set()

    def _end_windows(self, *, all_of_them: bool = False) -> None:
        now = self._clock()
        while self._windows:
            sort, window = next(iter(self._windows.items()))
            if not all_of_them and not _over(window.ends, now):
                return
            del self._windows[sort]
            if window.held is not None:
                self._held -= 1
                self._owe(sort, window.held)


def _over(end: float, now: float) -> bool:
    """Whether a minute has ended, or was begun by a clock that ran ahead."""
    return not now < end <= now + WINDOW_S


def _merged(held: SecurityEvent, event: SecurityEvent) -> SecurityEvent:
    """One event for two: what they do not share is left out."""
    detail: Any = held.detail
    texts = {
        field.name: ""
        for field in fields(detail)
        if type(getattr(detail, field.name)) is str
        and getattr(detail, field.name) != getattr(event.detail, field.name)
    }
    return replace(
        held,
        detail=replace(detail, **texts),
        user_id=held.user_id if held.user_id == event.user_id else "",
    )


def _counted(held: _Held) -> SecurityEvent:
    detail: Any = held.event.detail
    return replace(held.event, detail=replace(detail, count=held.count))
