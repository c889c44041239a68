"""A circuit breaker: what fails again and again is left alone for a while, then tried with care.

As in M. Nygard, *Release It!*: closed, calls pass and their ends are remembered; open, none does;
half open, a few try whether it is back. An operator may open and close it by hand. It is used on
one event loop, and waits for nothing.
"""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """Which calls pass. Values are those of the contract."""

    CLOSED = 1
    OPEN = 2
    HALF_OPEN = 3


class BreakerOpen(Exception):
    """The call may not be made; the next may in so many seconds, as far as is known.

    None if it was opened by hand: then it is closed by hand, too.
    """

    def __init__(self, retry_after_s: float | None) -> None:
        how_long = "by hand" if retry_after_s is None else f"for {retry_after_s:.1f} s"
        super().__init__(f"open {how_long}")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Limits:
    """It opens when ``failures`` of the last ``remembered`` calls failed, for ``open_s`` seconds.

    ``probes`` pass at once then. One that has not ended after ``probe_s`` is waited for no longer.
    A call that has not begun to be answered after ``slow_s`` counts as one that failed, however it
    ends; 0 if none does.
    """

    remembered: int = 10
    failures: int = 5
    open_s: float = 30.0
    probes: int = 1
    probe_s: float = 30.0
    slow_s: float = 0.0


USUAL = Limits()


class Passage:
    """A call that passes. It counts if somebody says by ``failed`` how it ended.

    Neither calls that were cancelled nor those that are refused for what they are say anything of
    whether others would fail. It is a context manager around the call.
    """

    __slots__ = ("_breaker", "_heard", "began", "counted", "era", "failed")

    def __init__(self, breaker: "Breaker") -> None:
        self._breaker = breaker
        self._heard = self.counted = False
        self.began, self.era = 0.0, 0
        self.failed: bool | None = None

    def answers(self) -> None:
        """Say that its answer has begun: if it was a probe, others need not wait for its end."""
        if not self._heard:  # each piece of an answer says so
            self._heard = True
            self._breaker.heard(self)

    def __enter__(self) -> "Passage":
        self._breaker.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._breaker.leave(self)


class Breaker:
    """Decides whether calls to one place are made; ``changed`` is told of each new state."""

    def __init__(
        self,
        limits: Limits = USUAL,
        changed: Callable[[State], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._changed, self._clock = limits, changed, clock
        self.since_us = _now_us()
        """When it was opened, or closed; what fails while it is open does not open it anew."""
        self._ends = deque[bool](maxlen=self._limits.remembered)
        self._reopens: float | None = None
        self._probing: list[Passage] = []
        self._unheard = OrderedDict[Passage, None]()  # the oldest first, while slowness counts
        self._era = 0  # how calls ended that began in an earlier one says nothing of now

    @property
    def state(self) -> State:
        """The state now."""
        now = self._clock()
        self._count_slow(now)
        if self._reopens is None:
            return State.CLOSED
        return State.OPEN if now < self._reopens else State.HALF_OPEN

    @property
    def retry_after_s(self) -> float:
        """Seconds until it is half open; 0 if it is not open, or was opened by hand."""
        now = self._clock()
        self._count_slow(now)
        if self._reopens is None or self.by_hand:
            return 0.0
        return max(0.0, self._reopens - now)

    @property
    def failures(self) -> int:
        """How many of the calls that it remembers have failed; it remembers none when it turns."""
        self._count_slow(self._clock())
        return sum(self._ends)

    @property
    def by_hand(self) -> bool:
        """Whether it was opened by hand."""
        return self._reopens == math.inf

    def open(self) -> None:
        """Open it by hand: until it is closed so, no call passes."""
        if not self.by_hand:
            self._turn(math.inf)

    def close(self) -> None:
        """Close it by hand, or on other news that it is back; what has failed is forgotten."""
        self._turn(None)

    def check(self) -> None:
        """Raise BreakerOpen if it is open: who would only wait for their call can go elsewhere."""
        now = self._clock()
        self._count_slow(now)
        self._refuse_if_open(now)

    def passing(self) -> Passage:
        """Make one call within. Raises BreakerOpen when that begins."""
        return Passage(self)

    def enter(self, passage: Passage) -> None:
        """The call begins. Raises BreakerOpen."""
        now = self._clock()
        if self._unheard:
            self._count_slow(now)
        passage.began, passage.era = now, self._era
        if self._reopens is not None:
            self._refuse_if_open(now)
            self._begin_probe(passage, now)
        if self._limits.slow_s:
            self._unheard[passage] = None

    def heard(self, passage: Passage) -> None:
        """Its answer has begun."""
        if passage in self._unheard:
            self._count_slow(self._clock())
            self._unheard.pop(passage, None)
        if passage in self._probing:
            self._turn(None)

    def leave(self, passage: Passage) -> None:
        """The call has ended."""
        if passage in self._unheard:
            self._count_slow(self._clock())
            self._unheard.pop(passage, None)
        if passage in self._probing:
            self._probing.remove(passage)
        if passage.failed is not None:
            self._count(passage, failed=passage.failed)

    def _refuse_if_open(self, now: float) -> None:
        if self._reopens is not None and now < self._reopens:
            raise BreakerOpen(None if self.by_hand else self._reopens - now)

    def _begin_probe(self, passage: Passage, now: float) -> None:
        waited_for = now - self._limits.probe_s
        self._probing = [it for it in self._probing if it.began > waited_for]
        if len(self._probing) >= self._limits.probes:
            raise BreakerOpen(self._probing[0].began - waited_for)
        self._probing.append(passage)

    def _count_slow(self, now: float) -> None:
        """Count those whose answers have not begun in time: whoever comes next is the timer."""
        began_before = now - self._limits.slow_s
        while self._unheard and (oldest := next(iter(self._unheard))).began <= began_before:
            del self._unheard[oldest]
            self._count(oldest, failed=True)

    def _count(self, passage: Passage, *, failed: bool) -> None:
        if passage.counted or passage.era != self._era:
            return
        passage.counted = True
        if self._reopens is not None:
            self._turn(self._later() if failed else None)
            return
        self._ends.append(failed)
        if sum(self._ends) >= self._limits.failures:
            self._turn(self._later())

    def _later(self) -> float:
        return self._clock() + self._limits.open_s

    def _turn(self, reopens: float | None) -> None:
        """Close it, or open it until then."""
        was_closed = self._reopens is None
        if (reopens is None) is not was_closed or reopens == math.inf:
            self.since_us = _now_us()
        self._era += 1
        self._ends.clear()
        self._probing.clear()
        self._unheard.clear()
        self._reopens = reopens
        if reopens is not None:
            self._changed(State.OPEN)
        elif not was_closed:
            self._changed(State.CLOSED)


def _now_us() -> int:
    return time.time_ns() // 1000
