"""Each user's share of what one process can do.

A loop has no priorities: what is on it waits for all that came before. So who has had more than
their share of its time lately waits before they come onto it, while others are there. Alone, one
has all of it.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.share_costs import Meter
from antiphon_server.runtime.limits.share_lines import Lines
from antiphon_server.runtime.limits.share_settings import ShareSettings

MOST_CALLS = 256
"""Calls of one user that wait; those of a hundred streams and turns wait one by one."""


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
