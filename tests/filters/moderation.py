"""A filter of others, as a server of its own: it finds words, and fails as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection

from antiphon.context.v1 import remote_filter_service_pb2 as pb
from antiphon.context.v1.remote_filter_service_pb2_grpc import (
    RemoteFilterServiceServicer,
    add_RemoteFilterServiceServicer_to_server,
)

SERVICE = "antiphon.context.v1.RemoteFilterService"
TOOL = "moderation.RemoteFilterService.Screen"
MOST_BYTES = 8 * 1024 * 1024


class Moderation(RemoteFilterServiceServicer):
    """Finds ``word``; ``asked`` is what it was asked, ``slow_s`` how long it takes.

    ``breaks`` has it fail, and say aloud what it was asked, as programs do.
    """

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[pb.RemoteFilterServiceScreenRequest] = []
        self.category = "rude"
        self.slow_s = 0.0
        self.breaks = False
        self.nowhere = False

    async def Screen(
        self, request: pb.RemoteFilterServiceScreenRequest, context: Any
    ) -> pb.RemoteFilterServiceScreenResponse:
        self.asked.append(request)
        await asyncio.sleep(self.slow_s)
        if self.breaks:
            raise RuntimeError(f"could not read {list(request.texts)}")
        found = list(self._found(request))
        if found and self.nowhere:
            found[0].text = len(request.texts)
        return pb.RemoteFilterServiceScreenResponse(findings=found)

    def _found(self, request: pb.RemoteFilterServiceScreenRequest) -> Any:
        for number, text in enumerate(request.texts):
            at = -1
            while (at := text.find(self.word, at + 1)) >= 0:
                end = at + len(self.word)
                yield pb.RemoteFinding(category=self.category, text=number, start=at, end=end)


@asynccontextmanager
async def serving(moderation: Moderation, port: int = 0) -> AsyncIterator[int]:
    """Its port, on which it tells what it has by reflection; afterwards nothing listens there."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MOST_BYTES)])
    add_RemoteFilterServiceServicer_to_server(moderation, server)
    reflection.enable_server_reflection((SERVICE,), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)
