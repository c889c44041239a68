"""An HTTP/2 connection that keeps no rule it is not told to keep: frames as bytes."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import hpack
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES = 9
CONNECT_S = 5.0
PATH = "/antiphon.auth.v1.AuthService/GetJwks"
Headers = Sequence[tuple[str | bytes, str | bytes]]


def request_headers(path: str = PATH, *more: tuple[str, str], token: str = "") -> Headers:
    """The headers of a well-formed call."""
    authorization = [("authorization", f"Bearer {token}")] if token else []
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *authorization,
        *more,
    ]


def grpc_frame(message: bytes = b"", *, compressed: int = 0, length: int | None = None) -> bytes:
    """A message in gRPC's own framing; ``length`` is what it says, if that is not the truth."""
    return struct.pack(">BI", compressed, len(message) if length is None else length) + message


@dataclass(slots=True)
class Outcome:
    """What the server said to one attempt.

    ``status`` is the gRPC status of the stream, ``reset`` and ``goaway`` are HTTP/2 error
    codes; ``closed`` says that it ended the connection.
    """

    status: int | None = None
    http: int | None = None
    trailers: dict[str, str | bytes] = field(default_factory=dict)
    reset: int | None = None
    goaway: int | None = None
    why: bytes = b""
    closed: bool = False
    messages: int = 0

    @property
    def refused(self) -> bool:
        """In a way that a client understands."""
        typed = self.status is not None or self.http not in (None, 200)
        return typed or self.reset is not None or self.goaway is not None or self.closed


class Raw:
    """A connection; what the server sends is in ``outcome``, and by streams in ``streams``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.outcome = Outcome()
        self.streams: dict[int, Outcome] = {}
        self.settings: dict[int, int] = {}
        self.frames = 0
        self._spoken = False
        self.encoder = hpack.Encoder()
        self._decoder = hpack.Decoder()
        self._decoder.max_header_list_size = 1 << 20
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._collect())

    async def send(self, *parts: bytes | Frame) -> None:
        """Send bytes and frames as they are. A broken connection is not an error."""
        data = b"".join(part if isinstance(part, bytes) else part.serialize() for part in parts)
        with contextlib.suppress(OSError):
            self.writer.write(data)
            await self.writer.drain()

    async def begin(self, settings: dict[int, int] | None = None) -> None:
        """Say the preface, and settings."""
        self._spoken = True  # nothing may be answered before
        await self.send(PREFACE, SettingsFrame(0, settings or {}))

    def mute(self) -> None:
        """Answer no settings and no pings from now on."""
        self._spoken = False

    def headers(
        self, stream: int, headers: Headers, *flags: str, raw: bytes | None = None
    ) -> HeadersFrame:
        """A frame of headers; END_HEADERS unless flags are given."""
        block = self.encoder.encode(list(headers)) if raw is None else raw
        return HeadersFrame(stream, block, flags=list(flags or ("END_HEADERS",)))

    async def call(
        self, stream: int, body: bytes, headers: Headers | None = None, *flags: str
    ) -> None:
        """A whole request: headers, one DATA frame that ends it."""
        await self.send(
            self.headers(stream, headers or request_headers()),
            DataFrame(stream, body, flags=list(flags or ("END_STREAM",))),
        )

    async def until(self, done: Callable[[], Any], seconds: float) -> bool:
        """Wait for something to become true; False if it did not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not done() and not self.outcome.closed:
                    self._changed.clear()
                    await self._changed.wait()
        return bool(done())

    async def refused(self, seconds: float, stream: int = 1) -> Outcome:
        """Wait until the stream or the connection is refused; returns what is known then."""
        await self.until(lambda: self.of(stream).refused or self.outcome.refused, seconds)
        of = self.of(stream)
        whole = self.outcome
        of.goaway, of.closed, of.why = whole.goaway, whole.closed, whole.why
        return of

    def of(self, stream: int) -> Outcome:
        """What is known of a stream."""
        return self.streams.setdefault(stream, Outcome())

    async def close(self) -> None:
        """End it without a word."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def _collect(self) -> None:
        try:
            while True:
                head = await self.reader.readexactly(HEADER_BYTES)
                frame, length = Frame.parse_frame_header(memoryview(head))
                body = await self.reader.readexactly(length)
                frame.parse_body(memoryview(body))
                self.frames += 1
                await self._take(frame)
                self._changed.set()
        except (OSError, EOFError):
            self.outcome.closed = True
            self._changed.set()

    async def _take(self, frame: Frame) -> None:
        match frame:
            case SettingsFrame() if "ACK" not in frame.flags:
                self.settings.update(frame.settings)
                await self._answer(SettingsFrame(0, flags=["ACK"]))
            case PingFrame() if "ACK" not in frame.flags:
                await self._answer(PingFrame(0, frame.opaque_data, flags=["ACK"]))
            case HeadersFrame():
                self._take_headers(frame.stream_id, frame.data)
            case DataFrame():
                self.of(frame.stream_id).messages += 1
            case RstStreamFrame():
                self.of(frame.stream_id).reset = frame.error_code
            case GoAwayFrame():
                self.outcome.goaway = frame.error_code
                self.outcome.why = frame.additional_data

    async def _answer(self, frame: Frame) -> None:
        if self._spoken:
            await self.send(frame)

    def _take_headers(self, stream: int, block: bytes) -> None:
        of = self.of(stream)
        pairs: Iterable[Any] = self._decoder.decode(block)
        for name, value in pairs:
            of.trailers[name] = value
        if ":status" in of.trailers:
            of.http = int(of.trailers[":status"])
        if "grpc-status" in of.trailers:
            of.status = int(of.trailers["grpc-status"])


@asynccontextmanager
async def connected(port: int, host: str = "127.0.0.1") -> AsyncIterator[Raw]:
    """A TCP connection on which nothing has been said."""
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await asyncio.open_connection(host, port)
    raw = Raw(reader, writer)
    try:
        yield raw
    finally:
        await raw.close()


@asynccontextmanager
async def begun(port: int, settings: dict[int, int] | None = None) -> AsyncIterator[Raw]:
    """A connection after the preface."""
    async with connected(port) as raw:
        await raw.begin(settings)
        yield raw


def window(stream: int, by: int) -> WindowUpdateFrame:
    """More room to send into."""
    return WindowUpdateFrame(stream, by)
