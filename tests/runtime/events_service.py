"""A small implementation of an existing contract, for tests of what surrounds services."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import not_found
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.server import Server
from antiphon_server.runtime.telemetry.current_rpc import current_request_id

Servicer: Any = stubs.EventServiceServicer  # its types ask for every method at once
SCOPE = "conversations/conv_00000001"
HEAD = pb.GetHeadRequest(scope=SCOPE)


class Events(Servicer):  # type: ignore[misc]
    """GetHead answers with the request id; what else it does depends on the cursor."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.inner: Any = None

    async def GetHead(self, request: pb.GetHeadRequest, context: Any) -> Any:
        return pb.GetHeadResponse(cursor=current_request_id())

    async def ReadEvents(self, request: pb.ReadEventsRequest, context: Any) -> Any:
        if request.cursor == "inner":
            return pb.ReadEventsResponse(cursor=(await self.inner.GetHead(HEAD)).cursor)
        if request.cursor == "missing":
            raise not_found("it")
        if request.cursor == "defect":
            raise ValueError("canary")
        self.begun.set()
        if request.cursor == "brief":
            await asyncio.sleep(0.2)
            return pb.ReadEventsResponse(cursor="done")
        try:
            return await asyncio.Event().wait()
        finally:
            if request.cursor == "slow":
                await asyncio.sleep(0.3)
            self.ended.set()

    async def Follow(self, request: pb.FollowRequest, context: Any) -> None:
        self.begun.set()
        try:
            await context.write(pb.FollowResponse())
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    async def Subscribe(self, requests: Any, context: Any) -> None:
        while await context.read() is not grpc.aio.EOF:
            await context.write(pb.SubscribeResponse())


def read(cursor: str) -> pb.ReadEventsRequest:
    """Make a request that makes the servicer do what ``cursor`` says."""
    return pb.ReadEventsRequest(scope=SCOPE, cursor=cursor)


@asynccontextmanager
async def on_a_port(table: LocalServer) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server of what the table has, on a port of its own."""
    server = Server(table)
    port = await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(0)


@asynccontextmanager
async def healthy(
    port: int = 0,
    credentials: grpc.ServerCredentials | None = None,
    called: Callable[[str], None] | None = None,
) -> AsyncIterator[int]:
    """A server that answers checks of its health; its port."""
    table, health = LocalServer([ErrorInterceptor()]), Health()
    health.register(table)
    server = Server(table, credentials=credentials, called=called)
    port = await server.start("127.0.0.1", port)
    await health.ready()
    try:
        yield port
    finally:
        await server.stop(0)


async def failure(call: Any) -> grpc.aio.AioRpcError:
    """What a call failed with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value
