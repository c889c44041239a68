"""When those come back who found no room."""

import random
import time
from collections.abc import Callable

SOONEST_S = 2.0
LONGEST_S = 60.0
SHARE = 0.8
"""Of what can be served, for those who come back; the rest is for those who come anew."""


class Appointments:
    """Tells those who found no room when to come back: one after another, as they can be served.

    Nothing is kept for them. If all came back when there was room for a few, the many refusals
    would cost everybody else more than what is served does.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = 0.0

    def make(self, each_s: float) -> float:
        """In how many seconds to come back, where ``each_s`` is what serving one takes.

        Those for whom it would be longer than a minute come back at any time in its second half.
        """
        now = self._clock()
        last = max(self._last, now + SOONEST_S) + each_s / SHARE
        if last - now > LONGEST_S:
            return LONGEST_S * (1 + random.random()) / 2
        self._last = last
        return last - now
