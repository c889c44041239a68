"""A fake OpenAI-compatible endpoint on raw asyncio, fast enough not to be the bottleneck.

In process::

    async with FakeEndpoint(Behaviour(deltas=3)) as endpoint:
        endpoint.base_url, endpoint.seen

As a process: ``python -m tests.fakes.openai_endpoint --port 0 --deltas 20 --gap-ms 0``
prints its base URL; ``GET /stats`` tells what it saw as JSON. The request's model may
name a mode (``{"model": "hang"}``); otherwise the behaviours in ``plan`` are used up,
one a request, then ``behaviour``.
"""

import argparse
import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Self

from tests.fakes.openai_behaviour import (
    MODES,
    Behaviour,
    Rendered,
    Seen,
    http_chunk,
    refusal,
    render,
)

MAX_SEEN = 10_000


class FakeEndpoint:
    """Answers ``POST /v1/chat/completions`` on the loopback interface."""

    def __init__(self, behaviour: Behaviour | None = None, port: int = 0) -> None:
        self.behaviour = behaviour or Behaviour()
        self.plan: deque[Behaviour] = deque()
        self.seen: deque[Seen] = deque(maxlen=MAX_SEEN)
        self.connections = 0
        self._port = port
        self._news = asyncio.Event()
        self._rendered: dict[int, tuple[Behaviour, Rendered]] = {}
        self._protocols: set[_Connection] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self._port, backlog=1024
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        self._server.close()
        self.close_idle()
        await asyncio.sleep(0)

    @property
    def base_url(self) -> str:
        """What a client is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    def close_idle(self) -> None:
        """Close every connection, as providers do with idle ones."""
        for connection in list(self._protocols):
            connection.close()

    def next_behaviour(self, body: Mapping[str, Any]) -> Behaviour:
        """How to answer the next request."""
        if self.plan:
            return self.plan.popleft()
        model = str(body.get("model", ""))
        if model in MODES and model != self.behaviour.mode:
            return replace(self.behaviour, mode=model)
        return self.behaviour

    def rendered(self, behaviour: Behaviour) -> Rendered:
        """The bytes of an answer, rendered once per behaviour object."""
        kept = self._rendered.get(id(behaviour))
        if kept is None or kept[0] != behaviour:
            kept = (replace(behaviour), render(behaviour))
            self._rendered[id(behaviour)] = kept
        return kept[1]

    async def wait_aborted(self, at: int = -1, timeout_s: float = 15.0) -> float:
        """When the connection of request ``at`` was aborted (monotonic seconds)."""
        async with asyncio.timeout(timeout_s):
            while not self.seen or self.seen[at].aborted is None:
                await self._next_news()
        aborted = self.seen[at].aborted
        assert aborted is not None
        return aborted

    async def wait_seen(self, count: int, timeout_s: float = 15.0) -> None:
        """Wait until ``count`` requests have come."""
        async with asyncio.timeout(timeout_s):
            while len(self.seen) < count:
                await self._next_news()

    def tell(self) -> None:
        """Wake whoever waits: a request came, or one was aborted."""
        self._news.set()

    async def _next_news(self) -> None:
        self._news.clear()
        await self._news.wait()


class _Connection(asyncio.Protocol):
    """One client: requests are answered one after the other."""

    def __init__(self, endpoint: FakeEndpoint) -> None:
        self._endpoint = endpoint
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None
        self._seen: Seen | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._endpoint.connections += 1
        self._endpoint._protocols.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._endpoint.connections -= 1
        self._endpoint._protocols.discard(self)
        self._note_abort()
        if self._task is not None:
            self._task.cancel()

    def eof_received(self) -> None:
        self._note_abort()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def close(self) -> None:
        """End the connection without noting an abort."""
        self._seen = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        path = lines[0].split(" ")[1]
        if path == "/stats":
            self._send_stats()
            return
        body = json.loads(rest[:length] or b"{}")
        seen = Seen(path, headers, body, time.monotonic())
        self._endpoint.seen.append(seen)
        self._endpoint.tell()
        self._seen = seen
        self._answer(seen, self._endpoint.next_behaviour(body))

    def _answer(self, seen: Seen, behaviour: Behaviour) -> None:
        """At once where nothing is to be waited for, else in a task."""
        seen.mode = behaviour.mode
        if behaviour.mode.isdigit():
            self._transport.write(refusal(behaviour.mode, behaviour.retry_after))
            self._end(seen)
        elif behaviour.mode == "too_long":
            self._transport.write(refusal("400", "", "exceed_context_size_error"))
            self._end(seen)
        elif behaviour.mode == "ok" and not (behaviour.gap_ms or behaviour.first_byte_ms):
            rendered = self._endpoint.rendered(behaviour)
            self._transport.write(rendered.head)
            for chunk in rendered.chunks:
                self._transport.write(chunk)
            seen.sent = len(rendered.chunks)
            self._transport.write(rendered.tail)
            self._end(seen)
        else:
            self._task = asyncio.ensure_future(self._stream(seen, behaviour))

    async def _stream(self, seen: Seen, behaviour: Behaviour) -> None:
        rendered, mode = self._endpoint.rendered(behaviour), behaviour.mode
        if mode == "hang":
            return
        await asyncio.sleep(behaviour.first_byte_ms / 1000)
        self._transport.write(rendered.head)
        whole = mode in ("ok", "drip", "length")
        sent = len(rendered.chunks) if whole else behaviour.deltas // 2
        await self._send_chunks(seen, behaviour, rendered.chunks[:sent])
        if whole:
            self._transport.write(rendered.tail)
        elif mode == "silent":
            return
        elif mode == "garbage":
            self._transport.write(http_chunk(b"data: {not json\n\n"))
        elif mode == "fault":
            self._transport.write(http_chunk(b'data: {"error": {"message": "canary-4711"}}\n\n'))
        elif mode == "no_end":
            self._transport.write(b"0\r\n\r\n")
        elif mode == "flood":
            await self._flood()
        self._end(seen)
        if mode == "cut":
            self._transport.close()

    async def _send_chunks(self, seen: Seen, behaviour: Behaviour, chunks: list[bytes]) -> None:
        for at, chunk in enumerate(chunks):
            if at and behaviour.gap_ms:
                await asyncio.sleep(behaviour.gap_ms / 1000)
            await self._writable.wait()
            for piece in _bytes_of(chunk) if behaviour.mode == "drip" else (chunk,):
                self._transport.write(piece)
                if behaviour.mode == "drip":
                    await asyncio.sleep(0)
            seen.sent += 1

    async def _flood(self) -> None:
        self._transport.write(http_chunk(b"data: "))
        while not self._transport.is_closing():
            await self._writable.wait()
            self._transport.write(http_chunk(b"x" * 65536))
            await asyncio.sleep(0)

    def _end(self, seen: Seen) -> None:
        seen.ended = time.monotonic()
        self._seen = None

    def _note_abort(self) -> None:
        if self._seen is not None:
            self._seen.aborted = time.monotonic()
            self._seen = None
            self._endpoint.tell()

    def _send_stats(self) -> None:
        seen = [asdict(one) | {"headers": {}} for one in self._endpoint.seen]
        stats = json.dumps({"connections": self._endpoint.connections, "seen": seen}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(stats)}"
        self._transport.write(f"{head}\r\n\r\n".encode() + stats)


def _bytes_of(chunk: bytes) -> list[bytes]:
    return [chunk[at : at + 1] for at in range(len(chunk))]


async def _serve(arguments: argparse.Namespace) -> None:
    behaviour = Behaviour(
        arguments.mode,
        arguments.deltas,
        arguments.gap_ms,
        usage=(11, arguments.deltas),
        first_byte_ms=arguments.first_byte_ms,
    )
    async with FakeEndpoint(behaviour, arguments.port) as endpoint:
        print(endpoint.base_url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--deltas", type=int, default=20)
    parser.add_argument("--gap-ms", type=float, default=0.0)
    parser.add_argument("--first-byte-ms", type=float, default=0.0)
    parser.add_argument("--mode", choices=MODES, default="ok")
    try:
        asyncio.run(_serve(parser.parse_args()))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()


__all__ = ["Behaviour", "FakeEndpoint", "Seen"]
