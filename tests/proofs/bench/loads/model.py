"""What the fake endpoint can serve: raw readers of it, with nothing between."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.proofs.bench.loads.client import Target, Window

_BODY = b'{"model":"fake","stream":true,"messages":[{"role":"user","content":"say it"}]}'
_END = b"\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Job:
    """``clients`` at once for ``seconds`` on the endpoint at ``url``, whose process is ``pid``."""

    url: str
    pid: int
    clients: int
    seconds: float


async def run(job: Job) -> dict[str, Any]:
    """Returns answers a second, and the processor time of the endpoint and of the readers."""
    window = Window(Target(job.url, job.pid), job.seconds)
    parts = urlsplit(job.url)
    host, _, port = parts.netloc.partition(":")
    loop = asyncio.get_running_loop()
    readers = []
    for _ in range(job.clients):
        made: Any = await loop.create_connection(
            lambda: _Reader(window, f"POST {parts.path}/chat/completions", parts.netloc),
            host,
            int(port),
        )
        readers.append(made[1])
    try:
        await window.run([reader.ask for reader in readers])
    finally:
        for reader in readers:
            reader.close()
    return {
        "answers_per_s": sum(reader.answers for reader in readers) / job.seconds,
        "cpu_share": window.cpu_s / job.seconds,
        "client_cpu_share": window.client_cpu_s / job.seconds,
    }


class _Reader(asyncio.Protocol):
    """Asks, and looks for the end of the answer only."""

    def __init__(self, window: Window, line: str, host: str) -> None:
        self._request = (
            f"{line} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(_BODY)}\r\n\r\n"
        ).encode() + _BODY
        self._window = window
        self._last = b""
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError(f"the endpoint went away: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._last = (self._last + data)[-len(_END) :]
        if self._last == _END and not self._done.done():
            self._done.set_result(None)

    async def ask(self) -> None:
        """One answer."""
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(self._request)
        await self._done
        self.answers += self._window.counts(time.perf_counter())

    def close(self) -> None:
        """Close at once."""
        self._done.cancel()
        self._transport.abort()
