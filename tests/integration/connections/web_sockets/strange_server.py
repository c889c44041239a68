"""A server of WebSockets that does as a request's method says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.runtime.egress.places import LOOPBACK

FRAME = 200_000_000


async def answer(socket: web.WebSocketResponse, said: dict[str, object]) -> None:
    """One request."""
    number, method = said.get("id"), said["method"]
    result = json.dumps({"jsonrpc": "2.0", "id": number, "result": said.get("params")})
    if method == "echo":
        await socket.send_str(result)
    elif method == "later":
        await asyncio.sleep(0.3)
        await socket.send_str(result)
    elif method == "fail":
        await socket.send_json({"id": number, "error": {"code": -32603, "message": "no"}})
    elif method == "other":
        await socket.send_json({"id": 4711, "result": "for nobody"})
        await socket.send_str("no JSON")
        await socket.send_str(result)
    elif method == "close":
        await socket.close(code=1013, message=b"later")
    elif method == "huge":
        transport = socket._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.write(bytes([0x81, 127]) + FRAME.to_bytes(8, "big") + b'"' * 1_000_000)
    elif method == "flood":
        while True:
            await socket.send_str("x" * 100)


async def _serve(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    tasks: set[asyncio.Task[None]] = set()
    try:
        async for told in socket:
            tasks.add(asyncio.create_task(answer(socket, json.loads(told.data))))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return socket


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def strange(handler: Handler = _serve) -> AsyncIterator[str]:
    """Its address."""
    app = web.Application()
    app.router.add_get("/ws", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    try:
        yield f"ws://{LOOPBACK}:{runner.addresses[0][1]}/ws"
    finally:
        await runner.cleanup()
