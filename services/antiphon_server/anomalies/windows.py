"""How much there was in a window of time, and how much there usually is."""

USUAL_AFTER = 10
"""In so many windows a subject must have been seen before it is compared with its past."""
_REMEMBERED = 50
_LEARNED_AT_MOST = 2.0
"""Times what is usual: one flood does not make floods usual."""


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
        return self._sum(at, length)

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

    def _sum(self, at: float, length: float) -> float:
        into = min(1.0, max(0.0, at / length - self.index))
        return self.now + self.before * (1 - into)

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
