"""How long a provider is waited for that has begun to answer, or should have."""

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

PIECE = 16 << 10
"""Bytes that are read, and then parsed, at once: all others wait meanwhile."""


class Patience:
    """Waits up to ``limit`` seconds for an event: bytes alone, such as comments, show no life.

    Only the time counts in which it is waited for: how long others take with what it has said is
    not the provider's fault.
    """

    __slots__ = ("_events", "_left", "limit")

    def __init__(self, limit: float) -> None:
        self.limit = self._left = limit
        self._events = 0

    def heard(self, events: int, limit: float) -> None:
        """Wait anew, up to ``limit`` seconds, if that are more events than before."""
        if events > self._events:
            self._events, self.limit, self._left = events, limit, limit

    async def read(self, content: "aiohttp.StreamReader") -> bytes:
        """What has come, at least a byte; nothing at the end. Raises TimeoutError."""
        if self._left <= 0:
            raise TimeoutError
        began = time.monotonic()
        async with asyncio.timeout(self._left):
            piece = await content.read(PIECE)
        self._left -= time.monotonic() - began
        return piece
