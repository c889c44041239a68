"""A request to a service over HTTP by aiohttp alone, on one session."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp


@asynccontextmanager
async def opened(
    url: str, arguments: dict[str, str]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The request; it fails if nothing came of it."""
    async with aiohttp.ClientSession() as session:

        async def call() -> None:
            async with session.get(url, params=arguments) as response:
                assert await response.json() == arguments, response

        yield call
