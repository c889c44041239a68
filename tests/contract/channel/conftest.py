"""Code above a channel can't tell a local one from sockets: every test runs on both."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.access.permissions import Role
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.rpc.server import Server
from tests.contract.channel.world import SCOPE, Events, Tokens, register
from tests.fakes.fixed_roles import FixedRoles


@pytest.fixture
def events() -> Events:
    """What the servers do, and what happened."""
    return Events()


@pytest.fixture(params=["local", "real"])
async def open_channel(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Open a channel of each kind to a table of methods."""
    closing: list[Callable[[], Awaitable[None]]] = []

    async def opened(table: LocalServer) -> grpc.aio.Channel:
        channel: grpc.aio.Channel
        if request.param == "local":
            channel = table.channel()
            closing.append(lambda: table.stop(0))
        else:
            server = Server(table)
            port = await server.start("127.0.0.1", 0)
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
            closing.append(lambda: server.stop(0))
        closing.append(channel.close)
        return channel

    yield opened
    for close in reversed(closing):
        await close()


@pytest.fixture
async def channel(open_channel: Any, events: Events) -> grpc.aio.Channel:
    """A channel to servers that let everybody in."""
    table = LocalServer([ErrorInterceptor(), ValidationInterceptor()])
    register(events, table)
    opened: grpc.aio.Channel = await open_channel(table)
    return opened


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    """A stub of servers that let everybody in."""
    return stubs.EventServiceStub(channel)


@pytest.fixture
async def guarded(open_channel: Any, events: Events) -> Any:
    """A stub of a server with authentication and access."""
    table = LocalServer(
        [
            ErrorInterceptor(),
            AuthenticationInterceptor(Tokens()),
            ValidationInterceptor(),
            AccessInterceptor(FixedRoles({SCOPE: Role.VIEWER})),
        ]
    )
    stubs.add_EventServiceServicer_to_server(events, table)
    return stubs.EventServiceStub(await open_channel(table))
