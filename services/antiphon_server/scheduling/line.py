"""Who is next among schedules that are due: workspaces in turn, so many at once in all and of each.

A start may take minutes where something in front of it does. So what is slow takes up places of
its own workspace, and what waits for a place is judged by when it was seen due, not by when it got
one.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from antiphon_server.scheduling.model import Due

AT_ONCE = 64
OF_WORKSPACE = 8


@dataclass(frozen=True, slots=True)
class Ready:
    """A schedule that is due, and the time of the look that found it so first."""

    due: Due
    ready_us: int


class Line:
    """Remembers what is due from look to look; it is used on one event loop."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Ready] = {}
        self._under_way: set[tuple[str, str]] = set()
        self._of_workspace: Counter[str] = Counter()
        self._waiting: dict[str, deque[Ready]] = {}

    def looked(self, found: Iterable[Due], now_us: int) -> None:
        """Take all that a look has found, the oldest first; whatever else waited is due no more."""
        before, self._known, self._waiting = self._known, {}, {}
        for due in found:
            ready = before.get(due.key)
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

    def leave(self, due: Due) -> None:
        """Give its place back: what was to be done about it now is done."""
        self._under_way.discard(due.key)
        self._of_workspace[due.workspace_id] -= 1
        if not self._of_workspace[due.workspace_id]:
            del self._of_workspace[due.workspace_id]
        self._known.pop(due.key, None)
