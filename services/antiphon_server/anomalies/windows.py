"""How much there was in a window of time, and how much there usually is."""

from typing import TypeAlias

USUAL_AFTER = 10
"""In so many windows a subject must have been seen before it is compared with its past."""
_REMEMBERED = 50
_LEARNED_AT_MOST = 2.0
"""Times what is usual: one flood does not make floods usual."""


Tally: TypeAlias = tuple[int, float, float]
"""Which window it is, how much there is in it, and how much was in the one before."""


def counted(tally: Tally | None, at: float, length: float, amount: float) -> Tally:
    """The same with something more; what comes late counts to the newest."""
    index = int(at // length)
    if tally is None:
        return index, amount, 0
    newest, now, before = tally
    if index <= newest:
        return newest, now + amount, before
    return index, amount, now if index == newest + 1 else 0


def within(tally: Tally, at: float, length: float) -> float:
    """How much there is in the window that ends then: of the one before, as much as lies in it."""
    index, now, before = tally
    into = min(1.0, max(0.0, at / length - index))
    return now + before * (1 - into)


class Window:
    """A sliding window of two counters, as rate limits have it, and the mean of those that ended.

    Windows in which there was nothing don't count: somebody who comes once a week is compared with
    what they do then.
    """

    __slots__ = ("before", "ended", "index", "now", "usual")

    def __init__(self) -> None:
        self.index = -1
        self.now = self.before = self.usual = 0.0
        self.ended = 0

    def add(self, at: float, length: float, amount: float) -> float:
        """Count something, and say how much there is in the window that ends then."""
        self._turn(int(at // length))
        self.now += amount
        return within((self.index, self.now, self.before), at, length)

    def put(self, at: float, length: float, amount: float) -> float:
        """Say that there is so much in the window that ends then; others have counted it."""
        self._turn(int(at // length))
        self.now = max(self.now, amount)
        return amount

    def share(self, value: float, most: float, times: float, least: float) -> float:
        """Which share of what is ordinary that is: of anybody, and of this one's own past."""
        share = value / most
        if self.ended >= USUAL_AFTER and value >= least:
            share = max(share, value / (times * self.usual))
        return min(1.0, share)

    def usually(self) -> dict[str, float]:
        """What is usual for this one, as evidence; nothing before that counts."""
        return {"usual": self.usual} if self.ended >= USUAL_AFTER else {}

    def _turn(self, index: int) -> None:
        """Go over to another window; what comes late counts to the newest."""
        if index <= self.index:
            return
        self._learn(self.now)
        self.before = self.now if index == self.index + 1 else 0.0
        self.index, self.now = index, 0.0

    def _learn(self, amount: float) -> None:
        if not amount:
            return
        if self.ended >= USUAL_AFTER:
            amount = min(amount, _LEARNED_AT_MOST * self.usual)
        self.ended += 1
        self.usual += (amount - self.usual) / min(self.ended, _REMEMBERED)
