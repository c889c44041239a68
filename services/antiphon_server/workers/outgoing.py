"""Frames on their way to another server: a bounded queue, and one writer."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from antiphon_server.runtime.errors import DomainError, Reason

T = TypeVar("T")
MOST = 20_000
"""More wait for no server that reads: all its workers say at once what they may."""


class Outgoing(Generic[T]):
    """What is put is yielded, in order. A reader that falls behind so much loses the stream."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], T], Callable[[], None]]] = deque()
        self._wakeup = asyncio.Event()
        self._ended = False

    def put(self, frame: T, sent: Callable[[], None] = lambda: None) -> None:
        """Have it sent; ``sent`` is told when its turn has come."""
        self.put_made(lambda: frame, sent)

    def put_made(self, make: Callable[[], T], sent: Callable[[], None] = lambda: None) -> None:
        """The same with what is large, and made when its turn has come."""
        self._waiting.append((make, sent))
        self._wakeup.set()

    def end(self) -> None:
        """Nothing is put any more."""
        self._ended = True
        self._wakeup.set()

    async def frames(self) -> AsyncIterator[T]:
        """What is to be sent, until it ends. Raises DomainError OVERLOADED."""
        while True:
            self._wakeup.clear()
            while self._waiting:
                if len(self._waiting) > MOST:
                    raise DomainError(Reason.OVERLOADED, resource="stream", retry_after=0.1)
                make, sent = self._waiting.popleft()
                sent()
                yield make()
            if self._ended:
                return
            await self._wakeup.wait()
