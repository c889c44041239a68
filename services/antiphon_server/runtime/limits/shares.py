"""Each user's share of what one process can do.

A loop has no priorities: what is on it waits for all that came before. So who has had more than
their share of its time lately waits before they come onto it, while others are there. Alone, one
has all of it.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.share_settings import ShareSettings

# What each thing costs at least, in seconds of processor time: round estimates, not measurements of
# this machine. A meter sees by how much they are too low here and now.
READ_S: Final = 0.001
WRITE_S: Final = 0.003
OPENING_S: Final = 0.001
COMMIT_S: Final = 0.0003
PIECE_S: Final = 0.00005
FRAME_S: Final = 0.00015

THERE_S = 60.0
"""For so long after the last thing that they asked for, somebody is there."""
BURST_S = 0.1
"""So much may come at once: a person's click is a few calls and a turn, on a slow machine too."""
MOST_DEBT_S = 0.2
"""Who was alone had all; when others come, that is held against them for no longer."""
TOGETHER = 0.75
"""What all who want more than their share have together."""
LATELY_S = 2.0
MOST_CALLS = 256
"""Calls of one user that wait; those of a hundred streams and turns wait one by one."""
METER_S = 0.5
LEAST_METERED = 0.05
MOST_FACTOR = 4.0
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


class Meter:
    """How much more processor time things take here and now than they are said to.

    Another machine is slower, others use it, too, and what follows a thing is not all foreseen.
    """

    def __init__(self) -> None:
        self._factor = 1.0
        self._said = 0.0
        self._used = time.process_time()
        self._looked = time.monotonic()

    def real(self, cost_s: float) -> float:
        """What something that is said to cost so much will."""
        self._said += cost_s
        passed = time.monotonic() - self._looked
        if passed >= METER_S:
            self._look(passed)
        return cost_s * self._factor

    def _look(self, passed: float) -> None:
        used = time.process_time()
        if self._said > LEAST_METERED * passed:  # else it is what goes on anyway
            found = (used - self._used) / self._said
            self._factor = min(max((self._factor + found) / 2, 1.0), MOST_FACTOR)
        else:
            self._factor = max(self._factor * 0.9, 1.0)
        self._said, self._used, self._looked = 0.0, used, time.monotonic()


class Share:
    """The way of one turn, or of one stream, through the lines: one thing after the other."""

    __slots__ = ("_left", "_lines", "_meter", "_turn")

    def __init__(self, lines: Sequence[tuple[Lines, str]] = (), meter: Meter | None = None) -> None:
        self._lines = lines
        self._meter = meter
        self._turn: asyncio.Future[None] | None = None
        self._left = False

    @property
    def waits(self) -> bool:
        """Whether it stands in a line now."""
        return self._turn is not None and not self._turn.done()

    async def take(self, cost_s: float) -> bool:
        """Wait for one's turn; False if one has left before. Cancelled, one has left, too."""
        self._left = False
        if self._meter is not None:
            cost_s = self._meter.real(cost_s)
        for lines, who in self._lines:
            self._turn = lines.come(who, cost_s)
            if self._turn is not None:
                await self._turn
            if self._left:
                return False
        return True

    def leave(self) -> None:
        """Wait no more: something else has to be done first."""
        self._left = True
        if self._turn is not None and self.waits:
            self._turn.set_result(None)


FREE: Final = Share()
"""Of parts of the installation, and of who has no limits: it never waits."""


class Shares:
    """What everybody has of this process. People and programs have shares, services have not."""

    def __init__(self, settings: ShareSettings | None = None) -> None:
        self.settings = settings or ShareSettings()
        self.meter = Meter()
        self._users = Lines(self.settings, self.settings.user)
        self._workspaces = Lines(self.settings, self.settings.workspace)

    def of(self, actor: str, workspace_id: str = "") -> Share:
        """The way for a turn or a stream of ``actor``, through the line of the workspace, too."""
        if not self._counts(actor):
            return FREE
        ways = [(self._users, actor)]
        if workspace_id:
            ways.append((self._workspaces, workspace_id))
        return Share(ways, self.meter)

    async def call(self, actor: str, cost_s: float, *, waits: bool = True) -> None:
        """Return when a call of ``actor`` may go on.

        Raises DomainError OVERLOADED if too many of theirs wait.
        """
        if not self._counts(actor):
            return
        if waits and self._users.length(actor) >= MOST_CALLS:
            resource = "this user's share of the server"
            raise DomainError(Reason.OVERLOADED, resource=resource, retry_after=1.0)
        turn = self._users.come(actor, self.meter.real(cost_s), waits=waits)
        if turn is not None:
            await turn

    @property
    def waiting(self) -> int:
        """How much waits."""
        return self._users.waiting + self._workspaces.waiting

    def _counts(self, actor: str) -> bool:
        return self.settings.enabled and actor.startswith("users/")

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        waiting = GaugeMetricFamily(
            "antiphon_share_waiting",
            "What waits for its user's or workspace's share.",
            labels=["of"],
        )
        held = GaugeMetricFamily(
            "antiphon_share_held", "Users and workspaces of whom something waits.", labels=["of"]
        )
        waited = CounterMetricFamily(
            "antiphon_share_waits", "What had to wait for its share.", labels=["of"]
        )
        for of, lines in (("user", self._users), ("workspace", self._workspaces)):
            waiting.add_metric([of], lines.waiting)
            held.add_metric([of], lines.held)
            waited.add_metric([of], lines.waited)
        yield from (waiting, held, waited)
