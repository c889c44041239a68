"""Parts start in order and stop in the reverse order; every task has an owner."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from antiphon_server.runtime.rpc.health import Health

Stop = Callable[[], Awaitable[object]]
log = logging.getLogger(__name__)


class Lifecycle:
    """Owns the background tasks of a process: ``async with Lifecycle(health) as lifecycle``.

    When a background task crashes, it is logged and its part's health becomes NOT_SERVING. If the
    task is vital (the default), :attr:`crashed` is set as well, and the process is expected to
    stop: a supervisor restarts it, which is safer than a server that lacks a part.
    """

    def __init__(self, health: Health | None = None) -> None:
        self._health = health
        self._stops: list[tuple[str, Stop]] = []
        self._reports: set[asyncio.Task[None]] = set()
        self.crashed = asyncio.Event()

    def on_stop(self, name: str, stop: Stop) -> None:
        """Register ``stop()``, to be called before the parts that started earlier stop."""
        self._stops.append((name, stop))

    def spawn(
        self, name: str, work: Coroutine[Any, Any, object], *, vital: bool = True
    ) -> asyncio.Task[object]:
        """Run ``work`` in the background. It is cancelled and awaited at the end.

        ``name`` is the part whose health the task stands for.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(lambda ended: self._ended(ended, vital))
        self._stops.append((name, lambda: _cancelled(task)))
        return task

    async def stop(self) -> None:
        """Stop everything, the last started first. A part that fails to stop is logged."""
        interrupted: asyncio.CancelledError | None = None
        while self._stops:
            name, stop = self._stops.pop()
            try:
                await stop()
            except asyncio.CancelledError as error:
                interrupted = error
            except Exception:
                log.exception("%s failed to stop", name)
        await asyncio.gather(*self._reports, return_exceptions=True)
        if interrupted is not None:
            raise interrupted

    def _ended(self, task: asyncio.Task[object], vital: bool) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("background task %s crashed", task.get_name(), exc_info=error)
        if vital:
            self.crashed.set()
        if self._health is not None:
            report = asyncio.ensure_future(self._health.set(task.get_name(), False, needed=vital))
            self._reports.add(report)
            report.add_done_callback(self._reports.discard)

    async def __aenter__(self) -> Self:
        """Begin with nothing running."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        await self.stop()


async def _cancelled(task: asyncio.Task[object]) -> None:
    """Cancel a task and wait for its end; its failure was logged when it failed."""
    task.cancel()
    await asyncio.wait([task])
