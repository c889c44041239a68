"""A bare relay: the model's stream goes straight to the client, delta by delta."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import grpc
import msgspec

from antiphon.integration.v1.integration_service_pb2 import (
    GenerateRequest,
    GenerateResponse,
    TextDelta,
)
from tests.proofs.bench.floors.bare import add_methods

_BODY = b'{"model":"fake","stream":true,"messages":[{"role":"user","content":"say it"}]}'
_END = b"\r\n0\r\n\r\n"
_DATA = b"data: {"


class _Delta(msgspec.Struct):
    content: str = ""


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice]


_decode = msgspec.json.Decoder(_Chunk).decode


class Model:
    """A client of the model on raw asyncio, with kept connections."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._request = (
            f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
        ).encode() + _BODY
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def texts(self) -> AsyncGenerator[str, None]:
        """The texts of one answer, as they come."""
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(self._request)
        rest = b""
        while not rest.endswith(_END):
            data = await reader.read(65536)
            if not data:
                raise ConnectionError("the model went away")
            *lines, last = (rest + data).split(b"\n")
            for line in lines:
                if line.startswith(_DATA):
                    for choice in _decode(line[6:]).choices:
                        if choice.delta.content:
                            yield choice.delta.content
            rest = last if last else (rest + data)[-len(_END) :]
        self._idle.append((reader, writer))


def add(server: grpc.aio.Server, url: str) -> None:
    """Relay the model at ``url`` as IntegrationService.Generate."""
    model = Model(url)

    async def generate(request: GenerateRequest, context: Any) -> None:
        async for text in model.texts():
            await context.write(GenerateResponse(delta=TextDelta(text=text)))

    method = grpc.unary_stream_rpc_method_handler(
        generate, GenerateRequest.FromString, GenerateResponse.SerializeToString
    )
    add_methods(server, "antiphon.integration.v1.IntegrationService", Generate=method)
