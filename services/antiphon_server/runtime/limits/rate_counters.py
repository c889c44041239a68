"""Counts calls by the minute, in memory.

A sliding window of two counters: what was counted in this minute, and of the minute before
as much as is still within 60 s if it was spread evenly. Minutes are those of the clock, so that
nodes can add up theirs.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Protocol

from antiphon_server.runtime.limits.rate_limits import Limit

WINDOW_S = 60.0
MOST_TRACKED = 32_768
"""Addresses or principals of one limit; beyond, those seen least recently are forgotten."""
_ROUNDING = 1e-6


class RateCounters(Protocol):
    """Knows how often whom was let through."""

    def spend(self, limit: Limit, who: str, count: int = 1) -> float:
        """Count one call, or with 0 none, and return 0.0; at the limit count nothing.

        Then it is the seconds until one would be let through. Answers at once.
        """
        ...


class Tally:
    """The calls of one address or principal, in the minute ``window`` and the one before.

    ``own`` went through this process, ``others`` through other ones, as far as is known.
    """

    __slots__ = ("others", "others_before", "own", "own_before", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.own = self.others = self.own_before = self.others_before = 0

    def turn(self, window: int) -> None:
        """Go over to another minute."""
        follows = window == self.window + 1
        self.own_before = self.own if follows else 0
        self.others_before = self.others if follows else 0
        self.window, self.own, self.others = window, 0, 0


class MemoryCounters:
    """:class:`RateCounters` of one process. ``clock`` is in Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time, most: int = MOST_TRACKED) -> None:
        self._clock = clock
        self._most = most
        self._tables: dict[str, OrderedDict[str, Tally]] = {}

    def spend(self, limit: Limit, who: str, count: int = 1) -> float:
        """See :meth:`RateCounters.spend`."""
        now = self._clock()
        window = int(now // WINDOW_S)
        tally = self._tally(limit.name, who, window)
        used, before = tally.own + tally.others, tally.own_before + tally.others_before
        into = now - window * WINDOW_S
        if used + before * (1 - into / WINDOW_S) > limit.most - 1 + _ROUNDING:
            return _wait(limit.most, used, before, into)
        tally.own += count
        return 0.0

    def find(self, limit: str, who: str) -> Tally | None:
        """What is known of somebody."""
        table = self._tables.get(limit)
        return table.get(who) if table else None

    def live(self) -> Iterator[tuple[str, str]]:
        """The limit and name of everybody who was counted in this minute or the one before."""
        oldest = int(self._clock() // WINDOW_S) - 1
        for limit, table in self._tables.items():
            for who, tally in table.items():
                if tally.window >= oldest:
                    yield limit, who

    def _tally(self, limit: str, who: str, window: int) -> Tally:
        table = self._tables.get(limit)
        if table is None:
            table = self._tables[limit] = OrderedDict()
        tally = table.get(who)
        if tally is None:
            tally = table[who] = Tally(window)
            if len(table) > self._most:
                table.popitem(last=False)
        else:
            table.move_to_end(who)
            if tally.window != window:
                tally.turn(window)
        return tally


def _wait(most: int, used: int, before: int, into: float) -> float:
    """Seconds until so much of the minutes counted is over that one more call fits."""
    if used < most:
        return WINDOW_S * (1 - (most - 1 - used) / before) - into
    return WINDOW_S - into + WINDOW_S * (1 - (most - 1) / used)
