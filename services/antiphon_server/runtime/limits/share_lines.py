"""Who had more than their share lately waits in a line, while others are there."""

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from antiphon_server.runtime.limits.share_settings import ShareSettings

THERE_S = 60.0
"""For so long after the last thing that they asked for, somebody is there."""
BURST_S = 0.1
"""So much may come at once: a person's click is a few calls and a turn, on a slow machine too."""
MOST_DEBT_S = 0.2
"""Who was alone had all; when others come, that is held against them for no longer."""
TOGETHER = 0.75
"""What all who want more than their share have together."""
LATELY_S = 2.0
RECHECK_S = 0.1
TICK_S = 0.05
"""What waits is let in together, so often: it shares a commit then, and others have the time
between."""


@dataclass(slots=True)
class Line:
    """Those of one user, or workspace, who wait.

    ``debt_s`` is what they had beyond their share, ``had_s`` what they had lately at all.
    """

    weight: float
    seen: float = 0.0
    at: float = 0.0
    debt_s: float = 0.0
    had_s: float = 0.0
    waiting: "deque[tuple[asyncio.Future[None], float]]" = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None


class Lines:
    """The lines of all users, or of all workspaces. One alone may have ``most`` beside others."""

    def __init__(self, settings: ShareSettings, most: float) -> None:
        self._settings = settings
        self._most = most
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._wanting = 0.0
        self._had_s = 0.0
        self._had_at = 0.0
        self.waited = 0
        """How many had to wait, from the start of the process on."""

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(len(line.waiting) for line in self._lines.values())

    @property
    def held(self) -> int:
        """Of how many users, or workspaces, something waits."""
        return sum(bool(line.waiting) for line in self._lines.values())

    def length(self, who: str) -> int:
        """How many of theirs wait."""
        line = self._lines.get(who)
        return len(line.waiting) if line else 0

    def come(self, who: str, cost_s: float, *, waits: bool = True) -> asyncio.Future[None] | None:
        """Take ``cost_s`` of the loop's time at once, or join the line: done when it is one's turn.

        What does not wait is on the account all the same.
        """
        now = asyncio.get_running_loop().time()
        line = self._line(who, now)
        if not waits or (not line.waiting and not self._wait_s(who, line, now)):
            self._charge(line, cost_s)
            return None
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not line.waiting:
            self._wanting += line.weight
        line.waiting.append((turn, cost_s))
        self.waited += 1
        if line.timer is None:
            self._serve(who, line)
        return turn

    def _serve(self, who: str, line: Line) -> None:
        """Let in those whose turn it is, and look again when the next one's comes."""
        loop = asyncio.get_running_loop()
        line.timer, now = None, loop.time()
        while line.waiting:
            turn, cost_s = line.waiting[0]
            if not turn.done():  # else it has gone
                wait_s = self._wait_s(who, line, now)
                if wait_s:
                    pause_s = min(max(wait_s, TICK_S), RECHECK_S)
                    line.timer = loop.call_later(pause_s, self._serve, who, line)
                    return
                turn.set_result(None)
                self._charge(line, cost_s)
            line.waiting.popleft()
        self._wanting -= line.weight

    def _wait_s(self, who: str, line: Line, now: float) -> float:
        rate = self._most * line.weight
        if self._wanting > line.weight:
            rate = min(rate, TOGETHER * line.weight / self._wanting)
        line.debt_s = max(0.0, line.debt_s - (now - line.at) * rate)
        line.had_s *= math.exp((line.at - now) / LATELY_S)
        line.at = now
        if line.debt_s <= BURST_S or self._is_light(line, now) or self._alone(who, now):
            return 0.0
        return (line.debt_s - BURST_S) / rate

    def _is_light(self, line: Line, now: float) -> bool:
        """Whether others have had more lately, so that it is not for this one to wait."""
        self._had_s *= math.exp((self._had_at - now) / LATELY_S)
        self._had_at = now
        others = self._wanting - (line.weight if line.waiting else 0.0)
        return line.had_s * (2 + max(others, 0.0) / line.weight) <= self._had_s

    def _charge(self, line: Line, cost_s: float) -> None:
        line.had_s += cost_s
        self._had_s += cost_s
        line.debt_s = min(line.debt_s + cost_s, MOST_DEBT_S)

    def _alone(self, who: str, now: float) -> bool:
        for other in reversed(self._lines):  # those seen last are first
            if other != who:
                return now - self._lines[other].seen > THERE_S
        return True

    def _line(self, who: str, now: float) -> Line:
        line = self._lines.get(who)
        if line is None:
            self._forget(now)
            line = self._lines[who] = Line(self._settings.weight(who), at=now)
        else:
            self._lines.move_to_end(who)
        line.seen = now
        return line

    def _forget(self, now: float) -> None:
        for who, line in list(_oldest(self._lines)):
            if now - line.seen <= THERE_S or line.waiting:
                return
            del self._lines[who]


def _oldest(lines: OrderedDict[str, Line]) -> Iterator[tuple[str, Line]]:
    """Two of them: who comes sees to it that more go than come."""
    for at, entry in enumerate(lines.items()):
        if at == 2:
            return
        yield entry
