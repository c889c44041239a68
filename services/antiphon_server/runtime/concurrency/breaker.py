"""A circuit breaker: what fails again and again is left alone for a while, then tried with care.

As in M. Nygard, *Release It!*: closed, calls pass and their ends are remembered; open, none does;
half open, a few try whether it is back. It is used on one event loop, and waits for nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """Which calls pass. Values are those of the contract."""

    CLOSED = 1
    OPEN = 2
    HALF_OPEN = 3


class BreakerOpen(Exception):
    """The call may not be made; the next may in so many seconds, as far as is known."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"open for {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Limits:
    """It opens when ``failures`` of the last ``remembered`` calls failed, for ``open_s`` seconds.

    ``probes`` pass at once then. One that has not ended after ``probe_s`` is waited for no longer.
    """

    remembered: int = 10
    failures: int = 5
    open_s: float = 30.0
    probes: int = 1
    probe_s: float = 30.0


USUAL = Limits()


class Passage:
    """A call that passes. It counts if somebody says by ``failed`` how it ended.

    Neither calls that were cancelled nor those that are refused for what they are say anything of
    whether others would fail.
    """

    __slots__ = ("_answers", "began", "era", "failed")

    def __init__(self, era: int, answers: Callable[["Passage"], None]) -> None:
        self.era, self.began, self._answers = era, 0.0, answers
        self.failed: bool | None = None

    def answers(self) -> None:
        """Say that its answer has begun: if it was a probe, others need not wait for its end."""
        self._answers(self)


class Breaker:
    """Decides whether calls to one place are made; ``changed`` is told of each new state."""

    def __init__(
        self,
        limits: Limits = USUAL,
        changed: Callable[[State], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._changed, self._clock = limits, changed, clock
        self._ends = deque[bool](maxlen=self._limits.remembered)
        self._reopens: float | None = None
        self._probing: list[Passage] = []
        self._era = 0  # how calls ended that began in an earlier one says nothing of now

    @property
    def state(self) -> State:
        """The state now."""
        if self._reopens is None:
            return State.CLOSED
        return State.OPEN if self._clock() < self._reopens else State.HALF_OPEN

    @property
    def retry_after_s(self) -> float:
        """Seconds until it is half open; 0 if it is not open."""
        return 0.0 if self._reopens is None else max(0.0, self._reopens - self._clock())

    @contextmanager
    def passing(self) -> Iterator[Passage]:
        """Make one call within. Raises BreakerOpen."""
        passage = self._enter()
        try:
            yield passage
        finally:
            self._leave(passage)

    def _enter(self) -> Passage:
        passage = Passage(self._era, self._back)
        if self._reopens is None:
            return passage
        passage.began = now = self._clock()
        if now < self._reopens:
            raise BreakerOpen(self._reopens - now)
        waited_for = now - self._limits.probe_s
        self._probing = [it for it in self._probing if it.began > waited_for]
        if len(self._probing) >= self._limits.probes:
            raise BreakerOpen(self._probing[0].began - waited_for)
        self._probing.append(passage)
        return passage

    def _leave(self, passage: Passage) -> None:
        if passage in self._probing:
            self._probing.remove(passage)
        if passage.failed is None or passage.era != self._era:
            return
        if self._reopens is not None:
            self._turn(open=passage.failed)
            return
        self._ends.append(passage.failed)
        if sum(self._ends) >= self._limits.failures:
            self._turn(open=True)

    def _back(self, probe: Passage) -> None:
        if probe in self._probing:
            self._turn(open=False)

    def _turn(self, *, open: bool) -> None:
        self._era += 1
        self._ends.clear()
        self._probing.clear()
        self._reopens = self._clock() + self._limits.open_s if open else None
        self._changed(State.OPEN if open else State.CLOSED)
