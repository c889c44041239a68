"""Counting what happens to many subjects within a sliding window, in bounded memory."""

from collections import deque

from antiphon_server.runtime.cache.lru import LruCache


class Windows:
    """Says when ``most`` things have happened to a subject within ``seconds``.

    After that the subject is left alone for as long. The subjects that were quiet longest are
    forgotten when there are more than ``subjects``.
    """

    def __init__(self, most: int, seconds: float, subjects: int = 10_000) -> None:
        self._most = most
        self._seconds = seconds
        self._times = LruCache[str, deque[float]](subjects)
        self._quiet = LruCache[str, float](subjects)

    def count(self, subject: str, now: float, times: int = 1) -> int:
        """Count it; how many there were within the window if those are too many, else 0."""
        if 0 < (self._quiet.peek(subject) or 0.0) - now <= self._seconds:
            return 0
        seen = self._times.get(subject)
        if seen is None:
            seen = deque(maxlen=self._most)
            self._times.put(subject, seen)
        seen.extend([now] * min(times, self._most))
        while seen and not 0 <= now - seen[0] < self._seconds:  # or the clock had run ahead
            seen.popleft()
        if len(seen) < self._most:
            return 0
        self._times.pop(subject)
        self._quiet.put(subject, now + self._seconds)
        return max(times, len(seen))

    def __len__(self) -> int:
        """How many subjects are remembered."""
        return len(self._times) + len(self._quiet)
