"""A server of WebSockets that does as each message says, and notes who has asked it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.integration.connections.web_sockets.strange_server import strange

FLOOD = 64 * 1024


@dataclass(slots=True)
class Talking:
    """Where it is, what it was told, with which headers, and how much of a flood it got rid of."""

    url: str = ""
    heard: list[str | bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    flooded: int = 0
    open: int = 0


async def _obey(talking: Talking, socket: web.WebSocketResponse, said: str | bytes) -> None:
    if isinstance(said, bytes):
        await socket.send_bytes(said)
        return
    command, _, rest = said.partition(" ")
    if command == "close":
        await socket.close(code=4001, message=rest.encode())
    elif command == "cut":
        transport = socket._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()
    elif command == "large":
        await socket.send_str("x" * int(rest))
    elif command == "deaf":
        await asyncio.sleep(float(rest))
    elif command == "flood":
        while True:
            await socket.send_bytes(bytes(FLOOD))
            talking.flooded += 1
    else:
        await socket.send_str(said)


@asynccontextmanager
async def talking() -> AsyncIterator[Talking]:
    """It, as long as the block runs."""
    it = Talking()

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        it.headers.append(dict(request.headers))
        await socket.prepare(request)
        it.open += 1
        try:
            async for told in socket:
                if told.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    it.heard.append(told.data)
                    await _obey(it, socket, told.data)
        except ConnectionError:
            pass  # whoever was flooded has gone
        finally:
            it.open -= 1
        return socket

    async with strange(serve) as url:
        it.url = url
        yield it
