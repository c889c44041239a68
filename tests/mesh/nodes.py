"""A control plane with its Envoy, and small nodes that register there."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from msgspec.structs import replace

from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon.mesh.v1.registry_service_pb2_grpc import RegistryServiceStub
from antiphon_server.app.control_plane import Mesh, running_mesh
from antiphon_server.app.secret import AUDIENCE
from antiphon_server.auth.adapters.server_secret import MasterSecret, load_or_create
from antiphon_server.auth.service.service_statements import StatementSigner
from antiphon_server.mesh.instances import Announced, Key, Load
from antiphon_server.mesh.model import Address
from antiphon_server.mesh.registration import Registration, registry_channel
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.server import Server
from antiphon_server.settings import Settings
from tests.runtime.events_service import Events

HOST = "127.0.0.1"
PORTS = MeshSettings(port=0, ads_port=0, inside_port=0, edge_port=0, check_tokens=False)


def settings_in(folder: Path, mesh: MeshSettings = PORTS) -> Settings:
    """Those of a control plane whose ports are picked."""
    folder.mkdir(exist_ok=True)
    return Settings(data_dir=folder, mesh=mesh)


@dataclass(slots=True)
class Installation:
    """A control plane that runs, and what its nodes know: where it is, and the secret."""

    mesh: Mesh
    secret: MasterSecret

    def statement(self, service: str) -> str:
        """What a service shows."""
        return StatementSigner(self.secret, service, AUDIENCE, time.time).statement()

    @property
    def registry(self) -> str:
        """Where nodes register."""
        return str(self.mesh.registry)

    async def endpoints(self, service: str) -> dict[str, str]:
        """Where Envoy sends calls of a service, and the health that it has seen there."""
        assert self.mesh.envoy is not None
        for cluster in await self.mesh.envoy.admin.clusters():
            if cluster["name"] == service:
                hosts = cluster.get("host_statuses", [])
                return {_port(host): host["health_status"]["eds_health_status"] for host in hosts}
        return {}

    async def knows(self, *services: str) -> bool:
        """Whether Envoy sends calls of each of them somewhere."""
        return all([await self.endpoints(name) for name in services])


def _port(host: object) -> str:
    assert isinstance(host, dict)
    return str(host["address"]["socket_address"]["port_value"])


@dataclass(slots=True)
class Node:
    """A process of the ``events`` service, as far as the mesh sees it."""

    name: str
    events: Events
    server: Server
    port: int
    registration: Registration
    lifecycle: Lifecycle

    async def die(self) -> None:
        """Be gone without a word: no port, no renewals."""
        await self.lifecycle.stop()
        await self.server.stop(0)


@asynccontextmanager
async def installation(
    folder: Path, mesh: MeshSettings = PORTS, drain_grace_s: float = 5.0
) -> AsyncIterator[Installation]:
    """Control plane and Envoy."""
    settings = await asyncio.to_thread(settings_in, folder, mesh)
    settings = replace(settings, drain_grace_s=drain_grace_s)
    secret = await asyncio.to_thread(load_or_create, folder / "auth.key")
    async with running_mesh(settings) as running:
        yield Installation(running, secret)


@asynccontextmanager
async def node(at: Installation, name: str) -> AsyncIterator[Node]:
    """A node that serves and is registered."""
    events, health = Events(), Health()
    table = LocalServer([ErrorInterceptor()])
    stubs.add_EventServiceServicer_to_server(events, table)
    for service in table.services:
        await health.set(service, serving=True)
    health.register(table)
    server = Server(table)
    port = await server.start(HOST, 0)
    await health.ready()
    announced = Announced(Key("events", name), Address(HOST, port), version="1", load=Load())
    async with Lifecycle() as lifecycle:
        channel = registry_channel(at.registry)
        registration = Registration(
            channel, {"events": lambda: announced}, {"events": lambda: at.statement("events")}
        )
        registration.begin()
        lifecycle.on_stop("channel", channel.close)
        lifecycle.spawn("registration", registration.run())
        yield Node(name, events, server, port, registration, lifecycle)
    await server.stop(0)


def registry_stub(channel: grpc.aio.Channel) -> Any:
    """The registry, by its contract."""
    return RegistryServiceStub(channel)
