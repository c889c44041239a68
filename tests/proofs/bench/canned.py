"""Answers every call with bytes made beforehand: what load clients reach with no server's work.

``python -m tests.proofs.bench.canned --deltas 20`` prints its address.
"""

import argparse
import asyncio

import hpack

from antiphon.integration.v1.integration_service_pb2 import GenerateResponse, TextDelta
from tests.proofs.bench.loads.http2 import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PREFACE,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    frames,
    message,
)
from tests.proofs.bench.processes import serve


class _Connection(asyncio.Protocol):
    """Speaks as much HTTP/2 as our own load client needs."""

    def __init__(self, deltas: int) -> None:
        encode = hpack.Encoder().encode
        self._head = encode([(":status", "200"), ("content-type", "application/grpc")])
        self._tail = encode([("grpc-status", "0")], huffman=False)
        delta = GenerateResponse(delta=TextDelta(text="word ")).SerializeToString()
        self._body = [message(delta)] * deltas
        self._rest = b""
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(frame(SETTINGS, 0, 0, b""))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._greeted:
            if len(data) < len(PREFACE):
                self._rest = data
                return
            self._greeted, data = True, data[len(PREFACE) :]
        found, self._rest = frames(data)
        for kind, flags, stream, payload in found:
            if kind == SETTINGS and not flags & ACK:
                self._transport.write(frame(SETTINGS, ACK, 0, b""))
            elif kind == DATA:
                self._transport.write(self._answer(stream, len(payload)))

    def _answer(self, stream: int, took: int) -> bytes:
        parts = [frame(HEADERS, END_HEADERS, stream, self._head)]
        parts += [frame(DATA, 0, stream, body) for body in self._body]
        parts.append(frame(HEADERS, END_HEADERS | END_STREAM, stream, self._tail))
        parts.append(frame(WINDOW_UPDATE, 0, 0, took.to_bytes(4, "big")))
        return b"".join(parts)


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deltas", type=int, default=20)
    deltas = parser.parse_args().deltas
    serve(lambda: _Connection(deltas), "127.0.0.1:{}")


if __name__ == "__main__":
    main()
