"""Calls that say what happens on a stream that is open: in their numbers' order, and each once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.errors import DomainError, Reason, invalid

MOST_WAITING = 8


class NumberedCalls:
    """Those about one stream; ``resource`` is what to call it."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._newest = self._waiting = 0
        self._one = asyncio.Lock()

    async def once(self, sequence: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do ``work`` behind that of earlier calls, once for each ``sequence``, also if the caller
        goes. The first is number 1.

        Raises DomainError INVALID_ARGUMENT, OVERLOADED.
        """
        if self._waiting >= MOST_WAITING:
            raise DomainError(Reason.OVERLOADED, resource=self._resource, retry_after=1.0)
        self._waiting += 1
        try:
            async with self._one:
                if sequence > self._newest + 1:
                    raise invalid("sequence", f"{self._newest + 1} comes next")
                if sequence == self._newest + 1:
                    self._newest = sequence
                    await completed(work())
        finally:
            self._waiting -= 1
