"""A server where Redis should be, which answers something else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "without end": lambda _: b"*1\r\n" * 20_000,
    "always well": lambda asked: b"+OK\r\n" * (1 + asked.count(b"\r\n*")),
}
"""What is answered to what was received."""


class _Strange(asyncio.Protocol):
    def __init__(self, kind: str, callers: list[Any]) -> None:
        self._answer = ANSWERS[kind]
        self._callers = callers

    def connection_made(self, transport: Any) -> None:
        """Somebody takes it for Redis."""
        self._transport = transport
        self._callers.append(transport)

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._transport.write(self._answer(data))


@asynccontextmanager
async def strange_redis(kind: str, port: int) -> AsyncIterator[None]:
    """Answer so while the block runs."""
    loop = asyncio.get_running_loop()
    callers: list[Any] = []
    server = await loop.create_server(lambda: _Strange(kind, callers), "127.0.0.1", port)
    yield
    server.close()
    for each in callers:
        each.abort()
