"""A lean gRPC client: HTTP/2 frames on raw asyncio, as little work a message as can be.

A client on grpc.aio takes as much processor time a message as the server it asks, so on a
shared machine a rate would be half the client's. This one takes about a tenth. It knows what
it needs of gRPC's servers: no padding, no push, blocks of headers in one frame. It also speaks
grpc-web, as a browser does over TLS: the same calls, whose trailers come as a last message.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import hpack

from tests.proofs.bench.loads.client import Target

OPEN_TIMEOUT_S = 10.0
DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW, MAX_FRAME = 1, 2, 4, 5
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_WINDOW = 2**31 - 1
_TOP_UP = 1 << 29
_HEAD = struct.Struct(">IBI")  # length (24 bits) and type, flags, stream
_SETTING = struct.Struct(">HI")
_OK = b"grpc-status\x010"
_TRAILERS, _WEB_OK = 0x80, b"grpc-status:0"


class Failed(Exception):
    """The server refused a call, or went away."""


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame."""
    return _HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def message(body: bytes) -> bytes:
    """A message with gRPC's prefix: not compressed, its length."""
    return b"\0" + len(body).to_bytes(4, "big") + body


def frames(data: bytes) -> tuple[list[tuple[int, int, int, bytes]], bytes]:
    """The whole frames in ``data`` (type, flags, stream, payload), and what is left of it."""
    found = []
    at, size = 0, len(data)
    while size - at >= 9:
        head, flags, stream = _HEAD.unpack_from(data, at)
        end = at + 9 + (head >> 8)
        if end > size:
            break
        found.append((head & 255, flags, stream, data[at + 9 : end]))
        at = end
    return found, data[at:]


class Stream:
    """One call. ``got`` is called with each message's bytes; ``done`` tells the end."""

    __slots__ = ("_connection", "_rest", "done", "got", "number", "received", "trailers", "window")

    def __init__(self, connection: "Connection", number: int, got: Callable[[bytes], None]) -> None:
        self._connection = connection
        self.number = number
        self.got = got
        self.done: asyncio.Future[None] = connection.loop.create_future()
        self.received = 0
        self.window = connection.initial_window
        self.trailers = b""
        self._rest = b""

    def send(self, body: bytes, *, last: bool = False) -> None:
        """Write one message. Raises Failed if the server lets nothing more in."""
        self._connection.write_data(self, message(body), last)

    def take(self, data: bytes) -> None:
        """Give the whole messages in ``data``, and behind what was left of those before."""
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        while size - at >= 5:
            end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")
            if end > size:
                break
            if data[at] & _TRAILERS:
                self.trailers = data[at + 5 : end]
            else:
                self.got(data[at + 5 : end])
            at = end
        self._rest = data[at:]


class Connection(asyncio.Protocol):
    """One connection, for calls of one method. Made by ``connect``."""

    def __init__(self, target: Target, path: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.initial_window = 65535
        self._window = 65535
        self._streams: dict[int, Stream] = {}
        self._number = -1
        self._received = 0
        self._rest = b""
        self._ready = self.loop.create_future()
        self._known_ok = b""
        self._headers = _Headers(target, path)

    def stream(self, got: Callable[[bytes], None], body: bytes | None = None) -> Stream:
        """Begin a call; with ``body`` its one request is sent too."""
        self._number += 2
        stream = self._streams[self._number] = Stream(self, self._number, got)
        self._transport.write(frame(HEADERS, END_HEADERS, self._number, self._headers.block()))
        if body is not None:
            stream.send(body, last=True)
        return stream

    def write_data(self, stream: Stream, data: bytes, last: bool) -> None:
        """Write one DATA frame."""
        self._window -= len(data)
        stream.window -= len(data)
        if self._window < 0 or stream.window < 0:
            raise Failed("the server lets nothing more in")
        self._transport.write(frame(DATA, END_STREAM if last else 0, stream.number, data))

    def cancel(self, stream: Stream) -> None:
        """End a call early."""
        if self._streams.pop(stream.number, None) is not None:
            self._transport.write(frame(RST, 0, stream.number, (8).to_bytes(4, "big")))

    async def opened(self) -> None:
        """Wait for the server's settings."""
        await asyncio.wait_for(asyncio.shield(self._ready), OPEN_TIMEOUT_S)

    def close(self) -> None:
        """Close at once."""
        self._streams.clear()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        pairs = {HEADER_TABLE_SIZE: 0, ENABLE_PUSH: 0, INITIAL_WINDOW: _WINDOW, MAX_FRAME: 1 << 20}
        settings = b"".join(_SETTING.pack(*pair) for pair in pairs.items())
        transport.write(PREFACE + frame(SETTINGS, 0, 0, settings) + _more(0, _WINDOW - 65535))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(Failed(f"the server went away: {exc}"))

    def data_received(self, data: bytes) -> None:
        found, self._rest = frames(self._rest + data if self._rest else data)
        for kind, flags, number, payload in found:
            if kind == DATA:
                self._data(number, payload)
                if flags & END_STREAM:
                    self._web_trailers(number)
            elif kind == HEADERS:
                self._trailers(number, flags, payload)
            else:
                self._control(kind, flags, number, payload)

    def _data(self, number: int, payload: bytes) -> None:
        self._received += len(payload)
        if self._received >= _TOP_UP:
            self._transport.write(_more(0, self._received))
            self._received = 0
        stream = self._streams.get(number)
        if stream is None:
            return
        stream.received += len(payload)
        if stream.received >= _TOP_UP:
            self._transport.write(_more(number, stream.received))
            stream.received = 0
        try:
            stream.take(payload)
        except Exception as error:  # whoever awaits the call wants to know
            self.cancel(stream)
            if not stream.done.done():
                stream.done.set_exception(error)

    def _trailers(self, number: int, flags: int, block: bytes) -> None:
        if not flags & END_STREAM:
            return
        stream = self._streams.pop(number, None)
        if stream is None or stream.done.done():
            return
        if _OK in block or block == self._known_ok:
            stream.done.set_result(None)
            return
        trailers = {str(name): str(value) for name, value in hpack.Decoder().decode(block)}
        if trailers.get("grpc-status") == "0":  # as proxies write it, the same each time
            self._known_ok = block
            stream.done.set_result(None)
        else:
            stream.done.set_exception(Failed(str(trailers)))

    def _web_trailers(self, number: int) -> None:
        stream = self._streams.pop(number, None)
        if stream is None or stream.done.done():
            return
        if _WEB_OK in stream.trailers:
            stream.done.set_result(None)
        else:
            stream.done.set_exception(Failed(stream.trailers.decode() or "no trailers"))

    def _control(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == WINDOW_UPDATE:
            if number == 0:
                self._window += int.from_bytes(payload, "big")
            elif number in self._streams:
                self._streams[number].window += int.from_bytes(payload, "big")
        elif kind == PING and not flags & ACK:
            self._transport.write(frame(PING, ACK, 0, payload))
        elif kind == SETTINGS and not flags & ACK:
            self._settle(payload)
        elif kind == RST and number in self._streams:
            code = int.from_bytes(payload, "big")
            self._streams.pop(number).done.set_exception(Failed(f"reset: {code}"))
        elif kind == GOAWAY:
            self._fail(Failed(f"the server closes: {payload!r}"))

    def _settle(self, payload: bytes) -> None:
        for setting, value in _SETTING.iter_unpack(payload):
            if setting == INITIAL_WINDOW:
                for stream in self._streams.values():
                    stream.window += value - self.initial_window
                self.initial_window = value
        self._transport.write(frame(SETTINGS, ACK, 0, b""))
        if not self._ready.done():
            self._ready.set_result(None)

    def _fail(self, error: Failed) -> None:
        for stream in self._streams.values():
            if not stream.done.done():
                stream.done.set_exception(error)
        self._streams.clear()
        if not self._ready.done():
            self._ready.set_exception(error)


class _Headers:
    """The same headers for each call: in full once, then by their places in the table."""

    def __init__(self, target: Target, path: str) -> None:
        encoder = hpack.Encoder()
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", target.address),
            ("te", "trailers"),
            ("content-type", "application/grpc-web+proto" if target.web else "application/grpc"),
            *target.metadata,
        ]
        self._next = encoder.encode(headers)
        self._again = encoder.encode(headers)

    def block(self) -> bytes:
        """The block of the next call."""
        block, self._next = self._next, self._again
        return block


def _more(number: int, size: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, number, size.to_bytes(4, "big"))


async def connect(target: Target, path: str) -> Connection:
    """A connection that is ready. Raises Failed."""
    host, _, port = target.address.rpartition(":")
    made: Any = await asyncio.get_running_loop().create_connection(
        lambda: Connection(target, path), host, int(port)
    )
    connection: Connection = made[1]
    await connection.opened()
    return connection
