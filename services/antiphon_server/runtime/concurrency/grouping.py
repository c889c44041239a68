"""Writes that wait at the same time, made together."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from antiphon_server.runtime.errors import DomainError, Reason

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WAITING = 10_000
MAX_WAITING_BYTES = 64 << 20
MAX_GROUP = 256


class Grouped(Generic[Item, Result]):
    """One group is on its way at a time; what comes meanwhile is the next one.

    ``write`` commits a group and returns a result for each of its items, in order. An
    idle system writes each item at once. ``weigh`` says how many bytes an item holds, of
    those that may hold many. At most ``most`` items wait, and at most ``most_bytes`` are in
    hand. Whoever makes one calls :meth:`close` at the end.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        weigh: Callable[[Item], int] = lambda item: 0,
        *,
        most: int = MAX_WAITING,
        most_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self._write = write
        self._weigh = weigh
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._bytes = 0  # of what waits and of the group that is on its way
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    async def add(self, item: Item) -> Result:
        """Write ``item``, and return when that is committed. Cancelling does not undo it.

        Raises what ``write`` raises for it, and DomainError OVERLOADED, DRAINING.
        """
        if self._closed:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        size = self._weigh(item)
        if len(self._waiting) >= self._most or self._bytes + size > self._most_bytes:
            raise DomainError(Reason.OVERLOADED, resource="store", retry_after=1.0)
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        self._bytes += size
        if self._writing is None:
            # It works for all who come; the first one's context is not theirs.
            self._writing = asyncio.create_task(
                self._write_all(), name="grouped-writes", context=contextvars.Context()
            )
        return await done

    async def close(self) -> None:
        """Accept no more, and return when all that was accepted is written."""
        self._closed = True
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write_all(self) -> None:
        group: list[tuple[Item, asyncio.Future[Result]]] = []
        try:
            while self._waiting:
                group = self._waiting[:MAX_GROUP]
                del self._waiting[:MAX_GROUP]
                await self._write_group(group)
                self._bytes -= sum(self._weigh(item) for item, _ in group)
                group = []
        finally:
            self._writing = None
            self._give_up([*group, *self._waiting])

    def _give_up(self, left: Sequence[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        """Nobody waits for ever for a writer that was cancelled; one that ended left none."""
        for _, done in left:
            _fail(done, DomainError(Reason.STORE_UNAVAILABLE))
        self._waiting.clear()
        self._bytes = 0

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
