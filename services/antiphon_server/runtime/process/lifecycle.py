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
    """Owns what a process runs: ``async with Lifecycle(health) as lifecycle``.

    A background task that crashes is logged and its part's health becomes
    NOT_SERVING. If it is vital (the default) :attr:`crashed` is set too, upon
    which the process is to stop: a supervisor starts it again, which is better
    than a server without one of its organs.
    """

    def __init__(self, health: Health | None = None) -> None:
        self._health = health
        self._stops: list[tuple[str, Stop]] = []
        self._reports: set[asyncio.Task[None]] = set()
        self.crashed = asyncio.Event()

    def on_stop(self, name: str, stop: Stop) -> None:
        """Call ``stop()`` at the end, before what was started earlier is stopped."""
        self._stops.append((name, stop))

    def spawn(
        self, name: str, work: Coroutine[Any, Any, object], *, vital: bool = True
    ) -> asyncio.Task[object]:
        """Run ``work`` in the background; cancelled and awaited at the end.

        ``name`` is also the part whose health it stands for.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(lambda ended: self._ended(ended, vital))
        self._stops.append((name, lambda: _cancelled(task)))
        return task

    async def stop(self) -> None:
        """Stop everything, the last started first. What fails to stop is logged, and passed over.

        May be called again; cancelling it does not leave parts running.
        """
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
