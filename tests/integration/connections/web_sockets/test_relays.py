"""A client that reads nothing of its relay, or goes as it ends: what is outside is let go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import grpc

from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon.integration.v1.connection_service_pb2_grpc import (
    ConnectionServiceServicer,
    ConnectionServiceStub,
    add_ConnectionServiceServicer_to_server,
)
from antiphon_server.integration.connections.adapters.sql import SqlConnections
from antiphon_server.integration.connections.adapters.sql_egress import SqlEgressRules
from antiphon_server.integration.connections.adapters.web_socket_kind import WebSockets
from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.model import Connection, Status, WebSocket
from antiphon_server.integration.connections.relay import Speaker
from antiphon_server.integration.connections.relay_frames import Close, Ended
from antiphon_server.integration.connections.relays import Relays
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.relaying import Relaying
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.access.principal import ANONYMOUS, Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.server import Server
from tests.e2e.refusals import refused
from tests.e2e.until import SOON_S, until
from tests.fakes.databases import opened_sqlite
from tests.integration.connections.web_sockets.talking_server import talking
from tests.integration.connections.web_sockets.test_calls import LOCAL, OneSecret
from tests.integration.connections.web_sockets.test_relay import still
from tests.integration.world import WORKSPACE

SMALL_WINDOW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536)]


class Everybody:
    """Lets everybody in."""

    async def admit(self, principal: Principal, workspace_id: str) -> None:
        return

    async def recheck(self, principal: Principal, token: str, workspace_id: str) -> None:
        return

    async def verified(self, token: str) -> Principal:
        return ANONYMOUS


class Served(ConnectionServiceServicer):
    """Relays alone."""

    def __init__(self, relaying: Relaying) -> None:
        self._relaying = relaying

    async def Relay(self, request_iterator: object, context: Any) -> None:  # type: ignore[override]
        await self._relaying.relay(context)


@asynccontextmanager
async def served(url: str) -> AsyncIterator[tuple[str, Relays]]:
    """Where relays to ``url`` are served, of clients that read soon."""

    async def nobody(connection: Connection, status: Status | None) -> None:
        return

    async with opened_sqlite(metadata) as database:
        store, kind = SqlConnections(database), WebSockets(LOCAL, OneSecret())
        connections = Connections(store, {WebSocket: kind}, nobody, SqlEgressRules(database))
        await connections.create(Connection(WORKSPACE, SourceName("it"), WebSocket(url)))
        ledger = SqlLedger(database)
        calls, access = PricedCalls(ledger, "local"), Everybody()
        relays = Relays(connections, calls, access, partial(new_id, "relay"), Shares())
        table = LocalServer([ErrorInterceptor()])
        relaying = Relaying(relays, access, read_within_s=0.5)
        servicer = Served(relaying)  # type: ignore[abstract]
        add_ConnectionServiceServicer_to_server(servicer, table)
        server = Server(table)
        port = await server.start("127.0.0.1", 0)
        try:
            yield f"127.0.0.1:{port}", relays
        finally:
            await server.stop(0)
            await connections.close()
            await ledger.close()


async def test_it_ends_when_nothing_was_read() -> None:
    """Until then what is outside waits; then the client is told, and nothing is left."""
    async with (
        talking() as outside,
        served(outside.url) as (address, relays),
        grpc.aio.insecure_channel(address, SMALL_WINDOW) as channel,
    ):
        stream: Any = ConnectionServiceStub(channel).Relay()
        asked = pb.OpenRelayRequest(workspace_id=WORKSPACE, name="it")
        await stream.write(pb.RelayRequest(open=asked))
        await stream.write(pb.RelayRequest(message=pb.SocketMessage(text="flood")))
        await still(outside)
        await until(lambda: outside.open <= 1)  # its probes have one

        async def read() -> None:
            while await stream.read() is not grpc.aio.EOF:
                pass

        async with asyncio.timeout(SOON_S):
            assert await refused(read()) == "OVERLOADED"
        await until(lambda: not len(relays))


async def test_nothing_is_left_of_one_whose_client_goes_as_it_ends() -> None:
    """At whichever moment: it is not counted any more, and what is outside is let go."""
    async with talking() as outside, served(outside.url) as (_, relays):
        speaker, name = (
            Speaker(Principal("user", UserId("u"), SessionId("s")), ""),
            SourceName("it"),
        )

        async def talked(over: asyncio.Event) -> None:
            async with relays.open(speaker, WORKSPACE, name, 60) as relay:
                relay.end(Ended(Close.CANCELLED))
                over.set()

        for steps in range(12):
            over = asyncio.Event()
            talk = asyncio.create_task(talked(over))
            await over.wait()
            for _ in range(steps):
                await asyncio.sleep(0)
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)
            assert not len(relays), steps
        await until(lambda: outside.open <= 1)
