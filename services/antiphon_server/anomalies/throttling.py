"""Of whom little is taken: asked for each message, so it is in memory."""

from collections.abc import Callable, Iterable

from antiphon_server.anomalies.model import Signal, Throttle
from antiphon_server.anomalies.ports import Allowance
from antiphon_server.runtime.revisions.model import GLOBAL


class Throttles:
    """Those that bite, as far as this server knows. ``now_us`` is the time since 1970."""

    def __init__(self, allowance: Allowance, now_us: Callable[[], int]) -> None:
        self._allowance, self._now_us = allowance, now_us
        self._of: dict[tuple[str, str], list[Throttle]] = {}
        self.refused = 0
        """Messages that had to wait."""

    def set(self, throttles: Iterable[Throttle]) -> None:
        """These bite from now on, and no others."""
        found: dict[tuple[str, str], list[Throttle]] = {}
        for it in throttles:
            found.setdefault((it.key.parent, it.key.subject), []).append(it)
        self._of = found

    def wait(self, signal: Signal, count: int = 1) -> float:
        """0.0 if what is said may be, else the seconds until it may; ``count`` 0: nothing is."""
        if not self._of:
            return 0.0
        wait = max((self._wait(it, count) for it in self._biting(signal)), default=0.0)
        self.refused += bool(wait)
        return wait

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._of)

    def _biting(self, signal: Signal) -> Iterable[Throttle]:
        now_us = self._now_us()
        for subject in signal.subjects():
            for parent in (GLOBAL, signal.workspace):
                for it in self._of.get((parent, subject), ()):
                    if it.end_us > now_us:
                        yield it

    def _wait(self, it: Throttle, count: int) -> float:
        return self._allowance.wait(it.key, it.per_minute, count)
