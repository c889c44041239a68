"""Short-lived tasks that somebody owns."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from antiphon_server.runtime.errors import DomainError

T = TypeVar("T")

log = logging.getLogger(__name__)


class TaskSet:
    """Tasks that come and go; those that are left are cancelled and awaited at the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run ``work`` in the background; a failure is logged, once."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def __len__(self) -> int:
        """How many run."""
        return len(self._tasks)

    async def idle(self) -> None:
        """Wait until none runs."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Cancel those that run and wait for their end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)


async def every(
    seconds: float, work: Callable[[], Awaitable[object]], *, at_once: bool = True
) -> None:
    """Do ``work`` and again ``seconds`` after each time, until cancelled; a failure is logged.

    It begins now, or if not ``at_once`` after the first ``seconds``.
    """
    if not at_once:
        await asyncio.sleep(seconds)
    while True:
        try:
            await work()
        except DomainError as error:
            log.warning("%s has to wait: %s", _own_name(), error.reason)
        except Exception:
            log.exception("%s failed, and goes on", _own_name())
        await asyncio.sleep(seconds)


def _own_name() -> str:
    task = asyncio.current_task()
    return task.get_name() if task else ""


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in order, or the first error; none is left running then, nor if cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def first_of(works: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Return when one of ``works`` has ended, or raise what it raised; none is left running."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def completed(work: Awaitable[T]) -> T:
    """Wait for ``work`` to its end even if this task is cancelled; then raise the cancellation."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:
            break  # it is raised below, unless this task was cancelled before
    if cancelled is not None and not task.cancelled():
        task.exception()  # the cancellation goes before what the work raised
        raise cancelled
    return task.result()
