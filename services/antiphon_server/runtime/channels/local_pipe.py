"""One direction of a local stream: a small queue that makes its writer wait."""

import asyncio
from collections import deque
from typing import Any

import grpc

CAPACITY = 16
"""Messages that may wait for the reader, about what flow control lets through."""


class Pipe:
    """One direction of a local stream: its messages in order.

    Cancelling ``get`` or ``put`` loses nothing: a message is taken or added without waiting in
    between.
    """

    __slots__ = ("_closed", "_items", "_readable", "_writable")

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._closed = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()

    async def put(self, item: Any) -> bool:
        """Add a message as soon as there is room; False if the pipe is closed."""
        while len(self._items) >= CAPACITY and not self._closed:
            self._writable.clear()
            await self._writable.wait()
        if self._closed:
            return False
        self._items.append(item)
        self._readable.set()
        return True

    async def get(self) -> Any:
        """Take the next message; EOF when the pipe is closed and empty."""
        while not self._items:
            if self._closed:
                return grpc.aio.EOF
            self._readable.clear()
            await self._readable.wait()
        item = self._items.popleft()
        self._writable.set()
        return item

    def close(self, *, discard: bool = False) -> None:
        """Take nothing more; with ``discard`` forget what waits."""
        self._closed = True
        if discard:
            self._items.clear()
        self._readable.set()
        self._writable.set()
