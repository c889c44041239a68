"""Counting what happens to many subjects within a sliding window, in bounded memory."""

from collections import OrderedDict, deque


class Windows:
    """Says when ``most`` things have happened to a subject within ``seconds``.

    After that the subject is left alone for as long. The subjects that were quiet longest are
    forgotten when there are more than ``subjects``.
    """

    def __init__(self, most: int, seconds: float, subjects: int = 10_000) -> None:
        self._most = most
        self._seconds = seconds
        self._subjects = subjects
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._quiet: OrderedDict[str, float] = OrderedDict()

    def count(self, subject: str, now: float, times: int = 1) -> int:
        """Count it; how many there were within the window if those are too many, else 0."""
        if 0 < self._quiet.get(subject, 0.0) - now <= self._seconds:
            return 0
        seen = self._times.setdefault(subject, deque(maxlen=self._most))
        self._times.move_to_end(subject)
        seen.extend([now] * min(times, self._most))
        while seen and not 0 <= now - seen[0] < self._seconds:  # or the clock had run ahead
            seen.popleft()
        self._trim(self._times)
        if len(seen) < self._most:
            return 0
        del self._times[subject]
        self._quiet.pop(subject, None)
        self._quiet[subject] = now + self._seconds
        self._trim(self._quiet)
        return max(times, len(seen))

    def __len__(self) -> int:
        """How many subjects are remembered."""
        return len(self._times) + len(self._quiet)

    def _trim(self, subjects: "OrderedDict[str, deque[float]] | OrderedDict[str, float]") -> None:
        while len(subjects) > self._subjects:
            subjects.popitem(last=False)
