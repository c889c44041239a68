"""The operator's port: ``/metrics`` for Prometheus, ``/healthz``, and ``/livez``.

The last says no more than that the process answers: one that waits for its database is not to
be started again for that.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.server import CannotListen

MAX_REQUEST_BYTES = 16 << 10
TIMEOUT_S = 5.0
_TEXT = "text/plain; charset=utf-8"
_PHRASES = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}
_Answer = tuple[int, str, bytes]


class Admin:
    """A small HTTP server on the process's own loop.

    ``collectors`` are prometheus_client collectors, read when scraped; ``more`` is what stands
    behind them, in Prometheus's format, too. It answers GET and HEAD, one request a connection.
    """

    def __init__(
        self,
        health: Health,
        collectors: Iterable[Any] = (),
        more: Callable[[], Awaitable[bytes]] | None = None,
    ) -> None:
        self._health = health
        self._more = more
        self._collectors = [health, *collectors]
        self._server: asyncio.Server | None = None
        self._exposition: Callable[[], _Answer] | None = None

    async def start(self, port: int, host: str = "127.0.0.1") -> int:
        """Listen, and return the port, which is chosen if ``port`` is 0.

        Raises CannotListen.
        """
        try:
            self._server = await asyncio.start_server(
                self._serve, host, port, limit=MAX_REQUEST_BYTES
            )
        except OSError as error:
            raise CannotListen(f"{host}:{port}") from error
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                method, path = head.split(b" ", 2)[:2]
                writer.write(_response(method, await self._answer(method, path)))
                await writer.drain()
        except (TimeoutError, OSError, ValueError, EOFError, asyncio.LimitOverrunError):
            pass  # not a client worth an answer
        finally:
            writer.close()

    async def _answer(self, method: bytes, path: bytes) -> _Answer:
        if method not in (b"GET", b"HEAD"):
            return 405, _TEXT, b"GET or HEAD\n"
        match path.partition(b"?")[0]:
            case b"/metrics":
                return await self._metrics()
            case b"/livez":
                return 200, _TEXT, b"alive\n"
            case b"/healthz":
                body = json.dumps({"serving": self._health.serving, "parts": self._health.parts})
                code = 200 if self._health.serving else 503
                return code, "application/json", body.encode() + b"\n"
        return 404, _TEXT, b"/metrics, /healthz or /livez\n"

    async def _metrics(self) -> _Answer:
        if self._exposition is None:
            self._exposition = _exposition_of(self._collectors)
        code, content_type, text = self._exposition()
        return code, content_type, text + await self._more() if self._more else text


def _exposition_of(collectors: Iterable[Any]) -> Callable[[], _Answer]:
    """Build the registry at the first scrape: it takes 40 ms to import."""
    from prometheus_client import (
        CONTENT_TYPE_LATEST,
        CollectorRegistry,
        PlatformCollector,
        ProcessCollector,
        generate_latest,
    )

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    return lambda: (200, CONTENT_TYPE_LATEST, generate_latest(registry))


def _response(method: bytes, answer: _Answer) -> bytes:
    code, content_type, body = answer
    head = (
        f"HTTP/1.1 {code} {_PHRASES[code]}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == b"HEAD" else body)
