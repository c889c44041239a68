"""A real MCP server over HTTP by its SDK, which also refuses, leads elsewhere and says nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from mcp.server import MCPServer

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Outside:
    """An ASGI application; ``told`` are the headers of all requests, by path."""

    def __init__(self) -> None:
        server = MCPServer("outside")
        server.tool()(add)
        self._inner = server.streamable_http_app()
        self.told: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] == "http":
            headers = {key.decode(): value.decode() for key, value in scope["headers"]}
            self.told.append((scope["path"], headers))
            if scope["path"].startswith("/refused"):
                await _answer(send, 401)
                return
            if scope["path"].startswith("/moved"):
                port = scope["server"][1]
                await _answer(send, 307, f"http://localhost:{port}/elsewhere")
                return
            if scope["path"].startswith("/silent"):
                await asyncio.sleep(60)
        await self._inner(scope, receive, send)


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def _answer(send: Send, status: int, location: str = "") -> None:
    headers = [(b"location", location.encode())] if location else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def mcp_server() -> AsyncIterator[tuple[Outside, int]]:
    """One that serves, and its port on 127.0.0.1."""
    outside = Outside()
    config = uvicorn.Config(
        outside, "127.0.0.1", 0, log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(20):
            while not server.started:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield outside, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join)
