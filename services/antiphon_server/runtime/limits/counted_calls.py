"""Calls that another server of the installation has counted against their callers' limits."""

import hmac
import time
from collections.abc import Callable, Iterable

HEADER = "antiphon-counted"
STEP_S = 30
"""For how long a mark is made, in seconds; it holds one step before and after, too."""

Metadata = Iterable[tuple[str, str | bytes]]


class CountedCalls:
    """Marks calls that go on to another server, and knows such marks.

    A mark is an HMAC of the time, in steps, under a ``key`` that only servers of the installation
    have. Whoever reads along can use it for a minute and a half, as they could the token beside
    it. Without one, or with another, a call is counted as any other.
    """

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self._step = -1
        self._marks: tuple[str, ...] = ()

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The metadata that marks a call."""
        return ((HEADER, self._around()[1]),)

    def known(self, metadata: Metadata) -> bool:
        """Whether a call with that metadata was counted where it came from."""
        found = next((value for key, value in metadata if key == HEADER), None)
        if not isinstance(found, str) or not found.isascii():
            return False
        return any(hmac.compare_digest(found, mark) for mark in self._around())

    def _around(self) -> tuple[str, ...]:
        """The marks of the last, this and the next step."""
        step = int(self._clock() // STEP_S)
        if step != self._step:
            self._marks = tuple(self._mark(step + more) for more in (-1, 0, 1))
            self._step = step
        return self._marks

    def _mark(self, step: int) -> str:
        return hmac.digest(self._key, str(step).encode(), "sha256").hex()
