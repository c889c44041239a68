"""A call of an MCP program's tool by the SDK alone, over stdio, on one session."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client


@asynccontextmanager
async def opened(
    command: str, words: list[str], tool: str, arguments: dict[str, str]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The call; it fails if nothing came of it."""
    async with Client(
        stdio_client(StdioServerParameters(command=command, args=words)), mode="auto"
    ) as client:

        async def call() -> None:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result

        yield call
