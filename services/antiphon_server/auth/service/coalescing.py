"""Events that somebody outside can cause at will: told at once when rare, counted when not.

A flood fills neither the store nor memory: of each sort a few are told within a minute, and
at its end one event stands for all the others. Who is nobody can come from any number of
addresses: what strangers cause has a budget for each kind of event besides.
"""

import asyncio
import logging
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.security_events import SecurityEvents
from antiphon_server.auth.service.budget import Budget
from antiphon_server.auth.service.security_events import ANONYMOUS, completed
from antiphon_server.runtime.errors import DomainError

WINDOW_S = 60.0
MOST = 10_000
TICK_S = 0.2
MOST_AT_ONCE = 500
OTHERS = "others"
"""The actor and address of an event that stands for more callers than are told apart."""

_Held = Sequence[tuple[Hashable, SecurityEvent, int]]
"""Sorts, what is held of each, and how many that stands for."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Window:
    """What is known of one sort; ``held`` is told when ``due``."""

    ends: float
    told: int = 0
    held: SecurityEvent | None = None
    count: int = 0
    due: float = 0.0


class Coalesced:
    """Tells events whose detail has a ``count``.

    ``run`` must be running for what is held to be told. What is held when the process is
    killed is lost: at most what a minute counted of each sort, never its first events.
    """

    def __init__(self, events: SecurityEvents, clock: Clock, most: int = MOST) -> None:
        self._events = events
        self._clock = clock
        self._most = most
        self._windows: dict[Hashable, _Window] = {}
        self._budgets: dict[type, Budget] = {}
        self._holding = asyncio.Event()

    async def tell(self, sort: Hashable, event: SecurityEvent, burst: int = 1) -> None:
        """Record one of the first ``burst`` of its sort within a minute now, hold another one."""
        event = completed(event)
        window, event = self._window(sort, event)
        if window.told >= burst or not self._may_tell(event):
            self._hold(window, event, due=window.ends)
            return
        window.told += 1
        await self._events.record(event)

    def note(self, sort: Hashable, event: SecurityEvent) -> None:
        """The same for those who can't wait: the first is told in a moment."""
        event = completed(event)
        window, event = self._window(sort, event)
        first = not window.told and self._may_tell(event)
        window.told += 1
        self._hold(window, event, due=self._clock() if first else window.ends)

    async def run(self) -> None:
        """Tell what is held when its time comes."""
        while True:
            await self._holding.wait()
            await asyncio.sleep(TICK_S)
            await self.flush()

    async def flush(self, *, all_of_it: bool = False) -> None:
        """Tell what is due, or all that is held; what can't be stored now is held on."""
        now, more = self._clock(), True
        while more and (due := self._due(now, all_of_it=all_of_it)):
            more = await self._told(due, now) and all_of_it
        self._forget(now)
        if not any(window.held for window in self._windows.values()):
            self._holding.clear()

    def _due(self, now: float, *, all_of_it: bool) -> _Held:
        return [
            (sort, window.held, window.count)
            for sort, window in self._windows.items()
            if window.held is not None and (all_of_it or _over(window.due, now))
        ][:MOST_AT_ONCE]

    async def _told(self, due: _Held, now: float) -> bool:
        """Whether the store took it; what it did not take is held again."""
        for sort, _, _ in due:
            window = self._windows[sort]
            window.held, window.count, window.due = None, 0, window.ends
        try:
            await self._events.record(*(_counted(event, count) for _, event, count in due))
        except DomainError as error:
            log.warning("security events are held back: %s", error)
            for sort, event, count in due:
                window = self._windows.setdefault(sort, _Window(now))
                self._hold(window, event, window.due, count)
            return False
        return True

    def __len__(self) -> int:
        """How many sorts are told apart now."""
        return len(self._windows)

    def _window(self, sort: Hashable, event: SecurityEvent) -> tuple[_Window, SecurityEvent]:
        now = self._clock()
        window = self._windows.get(sort)
        if window is None and not self._has_room(event, now):
            sort = type(event.detail).__name__
            event = replace(event, actor=OTHERS, address=OTHERS, session_id="", user_id="")
            window = self._windows.get(sort)
        if window is None or (_over(window.ends, now) and window.held is None):
            window = self._windows[sort] = _Window(now + WINDOW_S)
        return window, event

    def _has_room(self, event: SecurityEvent, now: float) -> bool:
        """Whether one more sort is told apart."""
        if event.actor == ANONYMOUS and not self._budget(event).has_any(now):
            return False
        if len(self._windows) >= self._most:
            self._forget(now)
        return len(self._windows) < self._most

    def _may_tell(self, event: SecurityEvent) -> bool:
        return event.actor != ANONYMOUS or self._budget(event).spend(self._clock())

    def _budget(self, event: SecurityEvent) -> Budget:
        return self._budgets.setdefault(type(event.detail), Budget(self._clock()))

    def _hold(self, window: _Window, event: SecurityEvent, due: float, count: int = 1) -> None:
        window.held = event if window.held is None else _merged(window.held, event)
        window.count += count
        window.due = min(due, window.due) if window.count > count else due
        self._holding.set()

    def _forget(self, now: float) -> None:
        over = [s for s, one in self._windows.items() if one.held is None and _over(one.ends, now)]
        for sort in over:
            del self._windows[sort]


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


def _counted(event: SecurityEvent, count: int) -> SecurityEvent:
    detail: Any = event.detail
    return replace(event, detail=replace(detail, count=count))
