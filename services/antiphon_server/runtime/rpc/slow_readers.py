"""A stream whose client reads nothing for too long is ended."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.errors import refuse

WRITE_TIMEOUT_S = 30.0


class TimedWriter:
    """Writes to one client, which must read: the stream ends if it reads nothing for so long.

    One timer a stream looks after its writes, not one a write: a frame costs less than a
    timeout. Use it as a context manager. ``on_late`` is told when it is too long, which the client
    learns not before it reads.
    """

    __slots__ = (
        "_began",
        "_context",
        "_late",
        "_local",
        "_loop",
        "_on_late",
        "_task",
        "_timer",
        "_within_s",
    )

    def __init__(
        self,
        context: Any,
        within_s: float = WRITE_TIMEOUT_S,
        on_late: Callable[[], None] | None = None,
    ) -> None:
        self._on_late = on_late
        self._context = context
        self._within_s = within_s
        self._local = context.peer() == "local"
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._began = 0.0
        self._late = False

    async def write(self, frame: Any) -> None:
        """Write a frame; one at a time.

        The RPC ends with OVERLOADED, upon which the client may come back and resume, if it has
        read nothing for too long. That status waits behind what is not read, and so does this
        call: what the stream holds counts as its owner's until the client reads or goes.
        Raises AbortError then. A reader in this process is under its own caller's time limit.
        """
        if self._local:
            await self._context.write(frame)
            return
        self._began = self._loop.time()
        self._task = task = asyncio.current_task()
        assert task is not None
        if self._timer is None:
            self._timer = self._loop.call_later(self._within_s, self._look)
        try:
            await self._context.write(frame)
        except asyncio.CancelledError:
            if not self._late or task.uncancel():
                raise
            await self._give_up()
        finally:
            self._task = None

    async def _give_up(self) -> None:
        try:
            error = DomainError(Reason.OVERLOADED, resource="stream", retry_after=1.0)
            await refuse(self._context, error)
        except grpc.aio.InternalError:  # it has gone
            raise asyncio.CancelledError from None

    def _look(self) -> None:
        self._timer = None
        if self._task is None:
            return
        left = self._began + self._within_s - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._late = True
            self._task.cancel()
            if self._on_late is not None:
                self._on_late()

    def __enter__(self) -> "TimedWriter":
        """Use it for a stream."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking after it."""
        if self._timer is not None:
            self._timer.cancel()
