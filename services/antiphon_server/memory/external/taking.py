"""How many changes a memory of others takes at once, and which of them it never will."""

REFUSED_S = 300.0
"""A change that has failed by itself for so long, while the memory answers, is passed over."""
MOST_PASSED = 10
"""So many are, one after the other: where no change at all is taken, all wait."""


class Taking:
    """What came of telling it. After a failure it is told half as many, until one fails alone.

    Whoever tells it asks for its description after each failure: so one that is away, and answers
    nothing, does not come to be told anything, and nothing is taken for refused.
    """

    def __init__(self) -> None:
        self._most: int | None = None
        self._alone_since_us: int | None = None
        self._passed = 0
        self.passed_over = 0

    def at_once(self, most: int) -> int:
        """How many it is told now, of the ``most`` that it says it takes."""
        if self._most is not None and self._most >= most:
            self._most = None
        return self._most or most

    def taken(self) -> None:
        """It took what it was told: more may be told at once again."""
        self._alone_since_us, self._passed = None, 0
        if self._most is not None:
            self._most *= 2

    def is_refused(self, told: int, now_us: int) -> bool:
        """It failed for so many; whether that is one that it will never take."""
        self._most = max(told // 2, 1)
        if told > 1:
            self._alone_since_us = None
            return False
        self._alone_since_us = self._alone_since_us or now_us
        if now_us - self._alone_since_us < REFUSED_S * 1e6 or self._passed == MOST_PASSED:
            return False
        self._alone_since_us = None
        self._passed += 1
        self.passed_over += 1
        return True
