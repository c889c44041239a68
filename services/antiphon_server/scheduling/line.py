"""Who is next among schedules that are due: workspaces in turn, so many at once in all and of each.

A start may take minutes where something in front of it does. So what is slow takes up places of
its own workspace, and what waits for a place is judged by when it was seen due, not by when it got
one. What could not be started is tried again after a pause, and judged by when that is over. All
of it is forgotten with the process: another one just tries a little sooner.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from antiphon_server.runtime.concurrency.retry_policies import DUE_TIME
from antiphon_server.scheduling.model import Due

AT_ONCE = 64
OF_WORKSPACE = 8


@dataclass(frozen=True, slots=True)
class Ready:
    """A schedule that is due, and the time of the look that found it so first."""

    due: Due
    ready_us: int


@dataclass(frozen=True, slots=True)
class Pause:
    """How often in a row something has kept it from starting, and until when it is left alone."""

    failures: int
    until: float


class Line:
    """Remembers what is due from look to look, on one event loop; ``clock`` shows seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], Ready] = {}
        self._pauses: dict[tuple[str, str], Pause] = {}
        self._under_way: set[tuple[str, str]] = set()
        self._of_workspace: Counter[str] = Counter()
        self._waiting: dict[str, deque[Ready]] = {}

    def looked(self, found: Iterable[Due], now_us: int) -> None:
        """Take all that a look has found, the oldest first; whatever else waited is due no more."""
        known, pauses, now = self._known, self._pauses, self._clock()
        self._known, self._pauses, self._waiting = {}, {}, {}
        for due in found:
            if (pause := pauses.get(due.key)) is not None:
                self._pauses[due.key] = pause
                if now < pause.until:
                    continue
            ready = known.get(due.key)
            if ready is None or ready.due != due:
                ready = Ready(due, now_us)
            self._known[due.key] = ready
            if due.key not in self._under_way:
                self._waiting.setdefault(due.workspace_id, deque()).append(ready)

    def next(self) -> Ready | None:
        """The next one, which has a place from now on; None if nothing waits that may have one."""
        if len(self._under_way) >= AT_ONCE:
            return None
        for workspace_id, waiting in self._waiting.items():
            if self._of_workspace[workspace_id] < OF_WORKSPACE:
                ready = waiting.popleft()
                del self._waiting[workspace_id]
                if waiting:  # behind all others
                    self._waiting[workspace_id] = waiting
                self._under_way.add(ready.due.key)
                self._of_workspace[workspace_id] += 1
                return ready
        return None

    def wait(self, due: Due, least_s: float = 0.0) -> None:
        """Leave it alone for a while, for so long at least: something keeps it from starting."""
        pause = self._pauses.get(due.key)
        failures = 1 + (pause.failures if pause else 0)
        pause_s = min(max(DUE_TIME.pause(failures), least_s), DUE_TIME.longest_s)
        self._pauses[due.key] = Pause(failures, self._clock() + pause_s)

    def forget(self, due: Due) -> None:
        """What kept it from starting is over."""
        self._pauses.pop(due.key, None)

    def leave(self, due: Due) -> None:
        """Give its place back."""
        self._known.pop(due.key, None)
        self._under_way.discard(due.key)
        self._of_workspace[due.workspace_id] -= 1
        if not self._of_workspace[due.workspace_id]:
            del self._of_workspace[due.workspace_id]
