"""A client of grpc-web that knows nothing of gRPC: frames in plain HTTP/1.1.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
"""

import base64
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import aiohttp
from google.protobuf.message import Message

BINARY = "application/grpc-web+proto"
TEXT = "application/grpc-web-text+proto"
_TRAILERS = 0x80
_HEAD = struct.Struct(">BI")


@dataclass(slots=True)
class Answer:
    """What came of a call: messages as bytes, then the trailers, by lower-case names."""

    headers: Mapping[str, str]
    messages: list[bytes] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The status of gRPC, wherever it stood."""
        return int(self.trailers.get("grpc-status") or self.headers["grpc-status"])


class Streaming:
    """An answer that is being read, message by message."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.trailers: dict[str, str] = {}

    async def read(self) -> bytes | None:
        """The next message; None at the end, when the trailers are known."""
        if "grpc-status" in self._response.headers:
            return None
        kind, size = _HEAD.unpack(await self._response.content.readexactly(_HEAD.size))
        body = await self._response.content.readexactly(size)
        if kind & _TRAILERS:
            self.trailers = _trailers(body)
            return None
        return body

    @property
    def headers(self) -> Mapping[str, str]:
        """What came first, by lower-case names; the status too, where nothing else comes."""
        return {key.lower(): value for key, value in self._response.headers.items()}

    def cut(self) -> None:
        """End the connection without a word."""
        self._response.close()


class GrpcWeb:
    """Calls of one page; an async context manager."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._headers = dict(headers or {})
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections."""
        assert self._session is not None
        return self._session

    async def unary(
        self,
        path: str,
        request: Message,
        content_type: str = BINARY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A call of which everything is read at once."""
        frame = _frame(request)
        body = base64.b64encode(frame) if content_type == TEXT else frame
        sent = self._of(content_type, headers)
        async with self.session.post(path, data=body, headers=sent) as response:
            raw = await response.read()
            answer = Answer({key.lower(): value for key, value in response.headers.items()})
            if content_type == TEXT:
                raw = b"".join(map(base64.b64decode, _base64_parts(raw)))
        while raw:
            kind, size = _HEAD.unpack_from(raw)
            part, raw = raw[_HEAD.size : _HEAD.size + size], raw[_HEAD.size + size :]
            if kind & _TRAILERS:
                answer.trailers = _trailers(part)
            else:
                answer.messages.append(part)
        return answer

    @asynccontextmanager
    async def stream(
        self, path: str, request: Message, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Streaming]:
        """A call whose answer is read as it comes."""
        sent = self._of(BINARY, headers)
        async with self.session.post(path, data=_frame(request), headers=sent) as response:
            yield Streaming(response)

    def _of(self, content_type: str, headers: Mapping[str, str] | None) -> dict[str, str]:
        form = {"content-type": content_type, "accept": content_type, "x-grpc-web": "1"}
        return self._headers | form | dict(headers or {})

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(self.base, timeout=aiohttp.ClientTimeout(total=None))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.session.close()


def _frame(message: Message) -> bytes:
    body = message.SerializeToString()
    return _HEAD.pack(0, len(body)) + body


def _trailers(body: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in body.decode().split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _base64_parts(raw: bytes) -> list[bytes]:
    """Parts that were encoded each for itself: padding may stand in the middle."""
    return [raw[at : at + 4] for at in range(0, len(raw), 4)]
