"""Work that must not stop half-way because its caller went away."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from antiphon_server.runtime.errors import DomainError

T = TypeVar("T")
log = logging.getLogger(__name__)


class Outcome(Exception):
    """What came of work where it is raised rather than returned, and is no failure."""


class Completion:
    """Runs work to its end even if the caller is cancelled."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return or raise the result of ``work``.

        If the caller is cancelled, a failure is logged instead.
        """
        task = self.begin(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise

    def begin(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run ``work`` for whoever may wait for it; what it raises is theirs to see."""
        task = asyncio.create_task(work, name="completion")
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        """Wait for what runs, and for what that begins."""
        while self._running:
            await asyncio.wait(self._running)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even if the caller is gone


def _log_failure(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, DomainError):
        log.warning("what a caller did not wait for was refused: %s", error.reason)
    elif error is not None and not isinstance(error, Outcome):
        log.error("what a caller did not wait for failed", exc_info=error)
