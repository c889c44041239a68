"""Who may run a turn now: so many at once, of one user no more than theirs."""

import asyncio
from collections import Counter

from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import Turn


class Places:
    """The places of turns that run.

    A free one goes to the workspace that has the fewest, and in it to the user who has the fewest,
    by their weights; of one user's turns to the one that waits longest.
    """

    def __init__(self, limits: TurnLimits) -> None:
        self._limits = limits
        self._weight = limits.weight
        self._taken = 0
        self._by_user: Counter[str] = Counter()
        self._by_workspace: Counter[str] = Counter()
        self._waiting: dict[str, dict[asyncio.Future[None], Turn]] = {}

    @property
    def waiting(self) -> int:
        """How many turns wait for a place."""
        return sum(map(len, self._waiting.values()))

    def take(self, turn: Turn) -> bool:
        """Take a place if one is free for the turn, and nobody of its user waits for one."""
        if self._waiting.get(turn.creator) or not self._is_free(turn.creator):
            return False
        self._count(turn, 1)
        return True

    async def wait(self, turn: Turn) -> None:
        """Take a place when it is the turn's. Cancelled, it waits no more, and has none."""
        if self.take(turn):
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(turn.creator, {})[granted] = turn
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._forget(granted, turn)
            else:
                self.leave(turn)
            raise

    def leave(self, turn: Turn) -> None:
        """Give the place of a turn to the next one."""
        self._count(turn, -1)
        while (chosen := self._next()) is not None:
            granted, follower = chosen
            self._forget(granted, follower)  # now: until it runs, others may come
            self._count(follower, 1)
            granted.set_result(None)

    def _forget(self, granted: asyncio.Future[None], turn: Turn) -> None:
        line = self._waiting[turn.creator]
        del line[granted]
        if not line:
            del self._waiting[turn.creator]

    def _is_free(self, user: str) -> bool:
        limits = self._limits
        return self._taken < limits.running and self._by_user[user] < limits.most_running_of(user)

    def _next(self) -> "tuple[asyncio.Future[None], Turn] | None":
        """Who is to have a free place: one of those at the head of their user's line."""
        heads = [
            next(((it, turn) for it, turn in line.items() if not it.done()), None)
            for user, line in self._waiting.items()
            if self._is_free(user)
        ]
        waiting = (head for head in heads if head)
        return min(waiting, key=lambda head: self._had(head[1]), default=None)

    def _had(self, turn: Turn) -> tuple[float, float]:
        user, workspace = turn.creator, turn.workspace_id
        return (
            self._by_workspace[workspace] / self._weight(workspace),
            self._by_user[user] / self._weight(user),
        )

    def _count(self, turn: Turn, change: int) -> None:
        self._taken += change
        _add(self._by_user, turn.creator, change)
        _add(self._by_workspace, turn.workspace_id, change)


def _add(counter: Counter[str], key: str, change: int) -> None:
    counter[key] += change
    if not counter[key]:
        del counter[key]
