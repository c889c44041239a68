"""A bare call of a gRPC server: its bytes are what they are."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc


@asynccontextmanager
async def opened(
    address: str, path: str, body: str
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Calls on one channel; ``body`` is the request in hexadecimal digits."""
    request = bytes.fromhex(body)
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.unary_unary(path)

        async def call() -> None:
            assert await method(request)

        yield call
