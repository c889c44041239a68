"""An MCP server that writes down what it runs: ``python -m tests.fakes.tool_server LEDGER``.

It prints its URL and serves over HTTP; with ``--stdio`` it speaks by lines. Lean: raw asyncio. Its
ledger is a file with a line of JSON for each run, and for each call whose client went away, synced
before anything is answered; times are of the monotonic clock, which all processes share.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

REVISION = "2026-07-28"
TOOLS = {"echo": False, "note": False, "note_again": True, "hang": False, "block": False}
"""Names, and whether the tool says that it may be called again."""
_SCHEMA = {"type": "object", "properties": {"key": {"type": "string"}}}
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
_NOT_ALLOWED = b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Line:
    """What the ledger says: ``ran`` or ``closed``, of which call, when (seconds), and by whom."""

    what: str
    key: str
    at: float
    pid: int


class RunLedger:
    """The file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def write(self, what: str, key: str) -> None:
        """Add a line, and have it on the disk."""
        line = {"what": what, "key": key, "at": time.monotonic(), "pid": os.getpid()}
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fsync(self._file)


def lines_of(path: Path) -> list[Line]:
    """All that it says."""
    if not path.exists():
        return []
    return [Line(**json.loads(line)) for line in path.read_text().splitlines()]


class Tools:
    """Answers requests of the protocol."""

    def __init__(self, ledger: RunLedger) -> None:
        self._ledger = ledger

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """What is said to it; None to a notification."""
        if "id" not in asked:
            return None
        told: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
        method, params = asked["method"], asked.get("params") or {}
        result = await self._result(method, params)
        if result is None:
            return told | {"error": {"code": -32601, "message": "unknown"}}
        return told | {"result": {"resultType": "complete", **result}}

    async def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        info = {"name": "ledger", "version": "1"}
        match method:
            case "server/discover":
                told = {"supportedVersions": [REVISION], "capabilities": {"tools": {}}}
                return told | {"serverInfo": info, "ttlMs": 0, "cacheScope": "private"}
            case "tools/list":
                tools = [
                    {
                        "name": name,
                        "inputSchema": _SCHEMA,
                        "annotations": {"idempotentHint": again},
                    }
                    for name, again in TOOLS.items()
                ]
                return {"tools": tools, "ttlMs": 0, "cacheScope": "private"}
            case "tools/call":
                text = await self._called(params["name"], params.get("arguments") or {})
                return {"content": [{"type": "text", "text": text}]}
        return None

    async def _called(self, tool: str, given: dict[str, Any]) -> str:
        key = str(given.get("key", ""))
        if tool == "echo":
            return key
        try:
            self._ledger.write("ran", key)
            if tool == "block":
                time.sleep(60)  # noqa: ASYNC251 - it hears nothing meanwhile
            await asyncio.sleep(60 if tool == "hang" else float(given.get("wait_s", 0)))
        except asyncio.CancelledError:
            self._ledger.write("closed", key)
            raise
        return f"ran {key}"


class _Http(asyncio.Protocol):
    """One connection: requests one after the other; a client that goes ends its call."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for the answer any more."""
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lines = self._buffer[:head].lower().split(b"\r\n")
        length = next((int(it[15:]) for it in lines if it.startswith(b"content-length:")), 0)
        end = head + 4 + length
        if len(self._buffer) < end:
            return
        body, self._buffer = self._buffer[head + 4 : end], self._buffer[end:]
        if not lines[0].startswith(b"post"):
            self._transport.write(_NOT_ALLOWED)
            return
        self._task = asyncio.ensure_future(self._answered(body))

    async def _answered(self, body: bytes) -> None:
        told = await self._tools.answer(json.loads(body))
        if told is None:
            self._transport.write(_ACCEPTED)
            return
        written = json.dumps(told).encode()
        self._transport.write(_HEAD % len(written) + written)


async def serve_http(tools: Tools, said: Callable[[str], object] = print) -> None:
    """Serve on a free port until stopped."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Http(tools), "127.0.0.1", 0, backlog=1024)
    said(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp")
    await server.serve_forever()


async def serve_stdio(tools: Tools) -> None:
    """Answer lines, side by side, until there are no more."""
    loop, running = asyncio.get_running_loop(), dict[object, asyncio.Task[None]]()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def answered(asked: dict[str, Any]) -> None:
        told = await tools.answer(asked)
        if told is not None:
            os.write(1, json.dumps(told).encode() + b"\n")

    while line := await reader.readline():
        asked = json.loads(line)
        if asked["method"] == "notifications/cancelled":
            if task := running.get(asked["params"]["requestId"]):
                task.cancel()
            continue
        number = asked.get("id")
        running[number] = task = asyncio.ensure_future(answered(asked))
        task.add_done_callback(partial(_ended, running, number))


def _ended(
    running: dict[object, asyncio.Task[None]], number: object, _: "asyncio.Task[None]"
) -> None:
    running.pop(number, None)


def main() -> None:
    """Serve as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--stdio", action="store_true")
    arguments = parser.parse_args()
    tools = Tools(RunLedger(arguments.ledger))
    serving: Awaitable[None] = serve_stdio(tools) if arguments.stdio else serve_http(tools, _say)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_until_end(serving))


async def _until_end(serving: Awaitable[None]) -> None:
    await serving


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
