"""Calls whose one request does not come: each may wait for so long, and one timer is for all."""

import asyncio
from typing import Any

from antiphon_server.runtime.methods import Context


class SlowRequests:
    """Reads requests, and gives up those that are not whole within ``most_s`` seconds.

    Whoever sends half of one, and answers pings, would else keep a call until the
    connection's end. A timer for each call would be felt.
    """

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._since: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, context: Context) -> Any:
        """The request, or EOF. Raises TimeoutError."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._since[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._most_s, self._look)
        try:
            return await context.read()
        except asyncio.CancelledError:
            if task in self._late and not task.uncancel():
                raise TimeoutError from None
            raise
        finally:
            del self._since[task]
            self._late.discard(task)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """Those that wait are in the order in which they came."""
        loop, self._timer = asyncio.get_running_loop(), None
        for task, since in self._since.items():
            if since + self._most_s > loop.time():
                self._timer = loop.call_at(since + self._most_s, self._look)
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()
