"""Calls whose one request does not come: each may wait for so long, and one timer is for all."""

import asyncio
from typing import Any

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.methods import Context

RETRY_AFTER_S = 1.0


class SlowRequests:
    """Reads requests, and gives up those that are not whole within ``most_s`` seconds.

    Whoever sends half of one, and answers pings, would else keep a call until the
    connection's end. At most ``most`` wait at once: of more, who waits longest is given up, so
    that a stranger's halves keep out nobody whose request comes. A timer for each call would
    be felt.
    """

    def __init__(self, most_s: float, most: int) -> None:
        self._most_s = most_s
        self._most = most
        self._since: dict[asyncio.Task[Any], float] = {}
        self._given_up: dict[asyncio.Task[Any], DomainError] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, context: Context) -> Any:
        """The request, or EOF. Raises DomainError DEADLINE_EXCEEDED, OVERLOADED."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        if len(self._since) >= self._most:
            self._give_up_longest()
        self._since[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._most_s, self._look)
        try:
            return await context.read()
        except asyncio.CancelledError:
            error = self._given_up.get(task)
            if error is not None and not task.uncancel():
                raise error from None
            raise
        finally:
            self._since.pop(task, None)
            self._given_up.pop(task, None)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """Those that wait are in the order in which they came."""
        loop, self._timer = asyncio.get_running_loop(), None
        for task, since in list(self._since.items()):
            if since + self._most_s > loop.time():
                self._timer = loop.call_at(since + self._most_s, self._look)
                return
            self._give_up(task, DomainError(Reason.DEADLINE_EXCEEDED))

    def _give_up_longest(self) -> None:
        error = DomainError(Reason.OVERLOADED, resource="server", retry_after=RETRY_AFTER_S)
        self._give_up(next(iter(self._since)), error)

    def _give_up(self, task: asyncio.Task[Any], error: DomainError) -> None:
        del self._since[task]
        self._given_up[task] = error
        task.cancel()
