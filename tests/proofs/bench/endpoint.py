"""An OpenAI-compatible endpoint that is no bottleneck: raw asyncio, its answer's bytes made once.

``python -m tests.proofs.bench.endpoint --deltas 20 --gap-ms 0`` prints its base URL. Without a gap
an answer is one write; with one, each delta is a write of its own at its own time.
"""

import argparse
import asyncio
import re
from collections.abc import Sequence

from tests.fakes.openai_behaviour import Behaviour, delta, end
from tests.proofs.bench.processes import serve

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class _Connection(asyncio.Protocol):
    """One client: whatever it posts is answered."""

    def __init__(self, pieces: Sequence[bytes], gap_s: float) -> None:
        self._pieces = pieces
        self._gap_s = gap_s
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        found = _LENGTH.search(self._buffer, 0, head + 2)
        whole = head + 4 + (int(found[1]) if found else 0)
        if len(self._buffer) >= whole:
            self._buffer = self._buffer[whole:]
            self._answer(0, self._loop.time())

    def _answer(self, at: int, begun: float) -> None:
        self._transport.write(self._pieces[at])
        if at + 1 < len(self._pieces):
            due = begun + (at + 1) * self._gap_s
            self._timer = self._loop.call_at(due, self._answer, at + 1, begun)


def pieces_of(deltas: int, *, at_once: bool) -> list[bytes]:
    """The writes of an answer: all in one, or one a delta, the end with the last."""
    answer = Behaviour(deltas=deltas, usage=(11, deltas))
    chunks = [_chunk(delta(answer.text)) for _ in range(deltas)]
    chunks[0] = _HEAD + chunks[0]
    chunks[-1] += _chunk(end(answer)) + _chunk(b"")
    return [b"".join(chunks)] if at_once else chunks


def _chunk(data: bytes) -> bytes:
    """In HTTP's chunked coding; an empty one is the last."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deltas", type=int, default=20)
    parser.add_argument("--gap-ms", type=float, default=0.0)
    told = parser.parse_args()
    pieces, gap_s = pieces_of(told.deltas, at_once=not told.gap_ms), told.gap_ms / 1000
    serve(lambda: _Connection(pieces, gap_s), "http://127.0.0.1:{}/v1")


if __name__ == "__main__":
    main()
