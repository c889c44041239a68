"""How often something happened of late, from counts that only grow."""

from collections import deque

from antiphon_server.mesh.instances import Load, Rates

OVER_S = 10.0
_APART_S = 1.0


class Recent:
    """The counts of the last ten seconds, one a second."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, Load]] = deque()

    def record(self, now: float, load: Load) -> None:
        """What is counted now; if it is less than before it has begun anew."""
        counts = self._counts
        if counts and load.ended < counts[-1][1].ended:
            counts.clear()
        if len(counts) > 1 and now - counts[-2][0] < _APART_S:
            counts.pop()
        counts.append((now, load))
        while now - counts[0][0] > OVER_S:
            counts.popleft()

    @property
    def rates(self) -> Rates:
        """On average, a second."""
        if not self._counts:
            return Rates()
        (began, first), (ended, last) = self._counts[0], self._counts[-1]
        seconds = ended - began
        if seconds <= 0:
            return Rates()
        return Rates((last.ended - first.ended) / seconds, (last.failed - first.failed) / seconds)
