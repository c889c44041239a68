"""The turns of one conversation that have not ended, and who waits for whom."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from antiphon_server.dispatcher.model import Policy, Turn, TurnId

MAX_TURNS = 100


@dataclass(slots=True, eq=False)
class ActiveTurn:
    """A turn in this process: the task that brings it to its end, and how to stop it."""

    turn: Turn
    cursor: str = ""
    task: asyncio.Task[None] | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    finishing: bool = False
    abandoned: bool = False
    rolled_back: bool = False

    def stop(self, *, rolled_back: bool = False) -> None:
        """Cancel the turn; stopping it again, or at its end, changes nothing."""
        if self.finishing or self.stopping:
            return
        self.rolled_back = rolled_back
        self.stopping = True
        if self.task is not None:
            self.task.cancel()

    def seal(self) -> None:
        """Note that the handler is done: from here on the turn can't be stopped."""
        self.finishing = True

    def abandon(self) -> None:
        """Let go of the turn without ending it: the next holder of its lease goes on."""
        self.abandoned = True
        self.stop()


@dataclass(slots=True)
class Lane:
    """One conversation. ``lock`` orders what is decided about its turns."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: dict[TurnId, ActiveTurn] = field(default_factory=dict)
    users: int = 0

    def before(self, policy: Policy) -> list[ActiveTurn]:
        """Those that a new turn of ``policy`` must wait for."""
        return [] if policy is Policy.PARALLEL else self.unfinished()

    def unfinished(self) -> list[ActiveTurn]:
        """Those whose end is not in the log yet, in the order they came."""
        return [active for active in self.turns.values() if not active.done.is_set()]


def stop_all(turns: Iterable[ActiveTurn], policy: Policy) -> None:
    """Make way for a turn of ``policy``."""
    if policy in (Policy.INTERRUPT, Policy.ROLLBACK):
        for active in turns:
            active.stop(rolled_back=policy is Policy.ROLLBACK)
