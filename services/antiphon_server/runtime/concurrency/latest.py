"""What is told a little later, and of each thing only the latest."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.errors import DomainError

K = TypeVar("K", bound=Hashable)

PERIOD_S = 1.0
MOST_AT_ONCE = 1000
MOST_KEPT = 20_000
log = logging.getLogger(__name__)


class Latest(Generic[K]):
    """Notes a number of each thing, and tells the greatest of each about once in ``period_s``.

    What could not be told is told again with what came meanwhile. Of more than 20,000 things the
    oldest are forgotten: this is for what may be lost with the process.
    """

    def __init__(
        self, tell: Callable[[Mapping[K, int]], Awaitable[object]], period_s: float = PERIOD_S
    ) -> None:
        self._tell = tell
        self._period_s = period_s
        self._noted: dict[K, int] = {}
        self._any = asyncio.Event()
        self._completion = Completion()

    def note(self, key: K, value: int) -> None:
        """Have it told soon."""
        self._noted[key] = max(value, self._noted.get(key, value))
        if len(self._noted) > MOST_KEPT:
            del self._noted[next(iter(self._noted))]
        self._any.set()

    async def run(self) -> None:
        """Tell what is noted, until cancelled."""
        while True:
            await self._any.wait()
            await asyncio.sleep(self._period_s)
            await self.flush()

    async def flush(self) -> None:
        """Tell what is noted now. Raises nothing but cancellation."""
        self._any.clear()
        keys = list(self._noted)
        for start in range(0, len(keys), MOST_AT_ONCE):
            part = keys[start : start + MOST_AT_ONCE]
            told = {key: self._noted[key] for key in part if key in self._noted}
            try:
                await self._completion.run(self._told(told))
            except DomainError as error:
                log.info("what is told later has to wait: %s", error.reason)
                break
        if self._noted:
            self._any.set()

    async def _told(self, told: Mapping[K, int]) -> None:
        await self._tell(told)
        for key, value in told.items():
            if self._noted.get(key) == value:
                del self._noted[key]

    async def close(self) -> None:
        """Tell what is left, if that can be done now."""
        await self.flush()
        await self._completion.close()
