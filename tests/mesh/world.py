"""A small server, pages, and Envoy before both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.mesh.compose import edge_before
from antiphon_server.mesh.envoy.process import Envoy
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.server import Server
from tests.runtime.events_service import Events

HOST = "127.0.0.1"
ORIGIN = "https://chat.example"
PAGE = "<title>a page</title>"


@dataclass(slots=True)
class World:
    """What runs: the servicer behind Envoy, and Envoy with its port."""

    events: Events
    envoy: Envoy
    access_log: Path

    @property
    def port(self) -> int:
        """Where clients call."""
        return self.envoy.port


@asynccontextmanager
async def small_server() -> AsyncIterator[tuple[Events, int]]:
    """A server of one contract and health; its port."""
    events, health = Events(), Health()
    table = LocalServer([ErrorInterceptor()])
    stubs.add_EventServiceServicer_to_server(events, table)
    health.register(table)
    server = Server(table)
    port = await server.start(HOST, 0)
    await health.ready()
    try:
        yield events, port
    finally:
        await server.stop(0)


@asynccontextmanager
async def pages() -> AsyncIterator[int]:
    """A server that gives out one page, whatever it is asked for; its port."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    application = web.Application()
    application.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    try:
        server: Any = site._server
        yield server.sockets[0].getsockname()[1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def envoy_before(
    port: int, edge: Edge, folder: Path, grace_s: float = 0.1
) -> AsyncIterator[Envoy]:
    """An Envoy before the server at that port; it may take so long to end."""
    async with Lifecycle() as lifecycle:
        envoy = edge_before(Address(HOST, port), edge, folder / "envoy.log")
        await envoy.serve(lifecycle, grace_s=grace_s)
        yield envoy


@asynccontextmanager
async def edge_world(folder: Path) -> AsyncIterator[World]:
    """All of it."""
    access_log = folder / "access.log"
    async with small_server() as (events, port), pages() as pages_port:
        edge = Edge(
            Address(HOST, 0),
            pages=Address(HOST, pages_port),
            origins=(ORIGIN,),
            access_log=access_log,
        )
        async with envoy_before(port, edge, folder, grace_s=0.2) as envoy:
            yield World(events, envoy, access_log)
