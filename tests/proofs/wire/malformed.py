"""What no client of HTTP/2 or of gRPC sends, case by case."""

import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.proofs.wire.raw import PATH, PREFACE, Raw, grpc_frame, request_headers

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING = range(7)
GOAWAY, WINDOW_UPDATE, CONTINUATION = 7, 8, 9
ACK = END_STREAM = 1
END_HEADERS = 4
PADDED = 8
MAX_WINDOW = 2**31 - 1
Send = Callable[[Raw], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """``send`` misbehaves. ``tolerated``: the server may go on as if nothing had been."""

    name: str
    send: Send
    tolerated: bool = False
    preface: bool = True


def frame(kind: int, flags: int, stream: int, body: bytes, length: int | None = None) -> bytes:
    """A frame of any kind, with any length in its head."""
    size = len(body) if length is None else length
    return struct.pack(">I", size)[1:] + struct.pack(">BBI", kind, flags, stream) + body


def setting(key: int, value: int) -> bytes:
    """One setting's six bytes."""
    return struct.pack(">HI", key, value)


def _says(*parts: bytes) -> Send:
    async def send(raw: Raw) -> None:
        await raw.send(*parts)

    return send


def _block(raw: Raw) -> bytes:
    return bytes(raw.encoder.encode(list(request_headers())))


def _built(build: Callable[[bytes], bytes]) -> Send:
    """What is built from a well-formed block of headers."""

    async def send(raw: Raw) -> None:
        await raw.send(build(_block(raw)))

    return send


def _begin(block: bytes, stream: int = 1) -> bytes:
    return frame(HEADERS, END_HEADERS, stream, block)


def _zeros(number: int) -> bytes:
    return struct.pack(">I", number)


CASES = (
    Case("HTTP/1.1", _says(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), preface=False),
    Case(
        "a TLS hello",
        _says(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64),
        preface=False,
    ),
    Case("noise", _says(bytes(range(256)) * 4), preface=False),
    Case("the preface twice", _says(PREFACE)),
    Case("DATA on stream 0", _says(frame(DATA, 0, 0, b"x")), tolerated=True),
    Case("HEADERS on stream 0", _built(lambda block: _begin(block, 0)), tolerated=True),
    Case("HEADERS on an even stream", _built(lambda block: _begin(block, 2)), tolerated=True),
    Case("a stream that is older", _built(lambda b: _begin(b, 5) + _begin(b, 3)), tolerated=True),
    Case("DATA on a stream never opened", _says(frame(DATA, 0, 9, b"x")), tolerated=True),
    Case("a frame of 17 MB", _says(frame(DATA, 0, 1, b"", 0xFFFFFF))),
    Case(
        "a frame beyond its limit",
        _built(lambda b: _begin(b) + frame(DATA, 0, 1, b"x" * 17_000)),
        tolerated=True,
    ),
    Case("SETTINGS of 5 bytes", _says(frame(SETTINGS, 0, 0, b"12345"))),
    Case("SETTINGS on a stream", _says(frame(SETTINGS, 0, 1, b""))),
    Case("an ACK with settings", _says(frame(SETTINGS, ACK, 0, setting(4, 1)))),
    Case("a window too large", _says(frame(SETTINGS, 0, 0, setting(4, 2**31)))),
    Case("frames too small", _says(frame(SETTINGS, 0, 0, setting(5, 1)))),
    Case("push half on", _says(frame(SETTINGS, 0, 0, setting(2, 7))), tolerated=True),
    Case("an unknown setting", _says(frame(SETTINGS, 0, 0, setting(0x7777, 1))), tolerated=True),
    Case("PING of 7 bytes", _says(frame(PING, 0, 0, b"1234567"))),
    Case("PING on a stream", _says(frame(PING, 0, 1, b"12345678")), tolerated=True),
    Case("no more window", _says(frame(WINDOW_UPDATE, 0, 0, _zeros(0)))),
    Case(
        "window overflow", _says(frame(WINDOW_UPDATE, 0, 0, _zeros(MAX_WINDOW)) * 3), tolerated=True
    ),
    Case("WINDOW_UPDATE of 3 bytes", _says(frame(WINDOW_UPDATE, 0, 0, b"123"))),
    Case("RST_STREAM of 3 bytes", _built(lambda b: _begin(b) + frame(RST_STREAM, 0, 1, b"123"))),
    Case("RST_STREAM of no stream", _says(frame(RST_STREAM, 0, 9, _zeros(8))), tolerated=True),
    Case("GOAWAY of 2 bytes", _says(frame(GOAWAY, 0, 0, b"12"))),
    Case("GOAWAY", _says(frame(GOAWAY, 0, 0, _zeros(0) + _zeros(0))), tolerated=True),
    Case(
        "PUSH_PROMISE",
        _built(lambda b: _begin(b) + frame(PUSH_PROMISE, 4, 1, _zeros(2) + b)),
        tolerated=True,
    ),
    Case("PRIORITY on itself", _says(frame(PRIORITY, 0, 1, _zeros(1) + b"\0")), tolerated=True),
    Case("an unknown frame", _says(frame(0x42, 0xFF, 7, b"x" * 100)), tolerated=True),
    Case("CONTINUATION of nothing", _says(frame(CONTINUATION, 4, 1, b""))),
    Case(
        "DATA amidst headers", _built(lambda b: frame(HEADERS, 0, 1, b) + frame(DATA, 0, 1, b"x"))
    ),
    Case(
        "another's CONTINUATION",
        _built(lambda b: frame(HEADERS, 0, 1, b[:9]) + frame(CONTINUATION, 4, 3, b[9:])),
    ),
    Case("padding beyond the frame", _built(lambda b: frame(HEADERS, 4 | PADDED, 1, b"\xff" + b))),
    Case("an index beyond the table", _says(frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\x7f"))),
    Case("a table of 1 GB", _says(frame(HEADERS, END_HEADERS, 1, b"\x3f\xe1\xff\xff\xff\x03"))),
    Case("a number without end", _says(frame(HEADERS, END_HEADERS, 1, b"\x7f" + b"\xff" * 20))),
    Case("bad Huffman", _says(frame(HEADERS, END_HEADERS, 1, b"\x40\x82\xff\xff\x82\xff\xff"))),
    Case("a text beyond the frame", _says(frame(HEADERS, END_HEADERS, 1, b"\x40\x7f\xff\x7fabc"))),
    Case(
        "DATA after the end",
        _built(lambda b: frame(HEADERS, 5, 1, b) + frame(DATA, 0, 1, b"x")),
        tolerated=True,
    ),
)
"""Connections."""

_PLAIN = request_headers()


def _without(name: str) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in _PLAIN if key != name]


def _with(name: str, value: str) -> list[tuple[str, str]]:
    return [(str(key), value if key == name else str(old)) for key, old in _PLAIN]


@dataclass(frozen=True, slots=True)
class Call:
    """A call with headers or a body that are wrong. ``tolerated``: it may be served; ``spoils``:
    the connection is of no use then.
    """

    name: str
    headers: list[tuple[str, str]]
    body: bytes = grpc_frame()
    tolerated: bool = False
    spoils: bool = False


def _more(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in request_headers(PATH, *more)]


CALLS = (
    Call("GET", _with(":method", "GET")),
    Call("no method", _without(":method")),
    Call("no path", _without(":path")),
    Call("no scheme", _without(":scheme"), tolerated=True),
    Call("a path that is none", _with(":path", "nonsense")),
    Call("a path of 10 KB", _with(":path", "/" + "x" * 10_000)),
    Call("an unknown method", _with(":path", "/antiphon.auth.v1.AuthService/None")),
    Call("two paths", [(":path", "/x"), *_more()], tolerated=True),
    Call("an unknown pseudo header", [(":x", "y"), *_more()]),
    Call("a pseudo header at the end", [*_more(), (":scheme", "http")], tolerated=True),
    Call("no te", _without("te")),
    # gRPC keeps the error with the header's name in the table that later headers refer to.
    Call("another te", _with("te", "gzip"), spoils=True),
    Call("a web page", _with("content-type", "text/html"), tolerated=True),
    Call("no content type", _without("content-type"), tolerated=True),
    Call("a timeout that is none", _more(("grpc-timeout", "soon"))),
    Call("a timeout before now", _more(("grpc-timeout", "-5S"))),
    Call("no time", _more(("grpc-timeout", "0n"))),
    Call("bad base64", _more(("x-bin", "!%"))),
    Call("capitals", _more(("X-Upper", "y"))),
    Call("a header of HTTP/1", _more(("connection", "close")), tolerated=True),
    Call("a line break in a header", _more(("x-a", "b\r\nc: d")), tolerated=True),
    Call("a header of 20 KB", _more(("x-a", "a" * 20_000))),
    Call("2,000 headers", _more(*((f"x-{at}", "y") for at in range(2000)))),
    Call(
        "two tokens", _more(("authorization", "Bearer x"), ("authorization", "y")), tolerated=True
    ),
    Call("a packing that is none", _more(("grpc-encoding", "zip")), grpc_frame(b"x", compressed=1)),
    Call("packed, it does not say how", _more(), grpc_frame(b"x", compressed=1)),
    Call("not packed as it says", _more(("grpc-encoding", "gzip")), grpc_frame(b"x", compressed=1)),
    Call("an unknown flag", _more(), grpc_frame(compressed=7), tolerated=True),
    Call("4 GB to come", _more(), grpc_frame(b"x", length=0xFFFFFFFF)),
    Call("shorter than it is", _more(), grpc_frame(b"xyz", length=1)),
)
"""On one connection each; it must serve the next call unless it was closed."""
