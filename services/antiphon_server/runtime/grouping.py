"""Writes that wait at the same time, made together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from antiphon_server.runtime.errors import DomainError, Reason

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WAITING = 10_000
MAX_GROUP = 256


class Grouped(Generic[Item, Result]):
    """One group is on its way at a time; what comes meanwhile is the next one.

    ``write`` commits a group and returns a result for each of its items, in order. An
    idle system writes each item at once.
    """

    def __init__(self, write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]) -> None:
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        """Write ``item``, and return when that is committed. Cancelling does not undo it.

        Raises what ``write`` raises for it, and DomainError OVERLOADED.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise DomainError(Reason.OVERLOADED, resource="store", retry_after=1.0)
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="grouped-writes")
        return await done

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                group = self._waiting[:MAX_GROUP]
                del self._waiting[:MAX_GROUP]
                await self._write_group(group)
        finally:
            self._writing = None

    async def _write_group(self, group: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        """Write a group; if that fails, each item alone, so that one can't sink others."""
        try:
            results = await self._write([item for item, _ in group])
        except Exception as error:
            if len(group) == 1:
                _fail(group[0][1], error)
            elif isinstance(error, DomainError):
                for _, done in group:
                    _fail(done, error)
            else:
                for one in group:
                    await self._write_group([one])
            return
        for (_, done), result in zip(group, results, strict=True):
            if not done.done():  # the caller was cancelled; the write stands
                done.set_result(result)


def _fail(done: "asyncio.Future[Result]", error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
