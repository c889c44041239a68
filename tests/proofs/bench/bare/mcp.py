"""A call of an MCP server's tool by the SDK alone, over HTTP, on one session."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client


@asynccontextmanager
async def opened(
    url: str, tool: str, arguments: dict[str, str]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The call; it fails if nothing came of it."""
    async with (
        httpx2.AsyncClient(trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), mode="auto") as client,
    ):

        async def call() -> None:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result

        yield call
