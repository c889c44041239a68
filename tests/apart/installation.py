"""An installation whose services run apart: each a whole server on a port of its own."""

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon_client import ApiKey, Client
from antiphon_client.address import open_channel
from antiphon_client.credentials import Credentials
from antiphon_client.redial import ignore_connection
from antiphon_client.tls import Tls
from antiphon_client.token_exchange import TokenExchange
from antiphon_client.token_store import MemoryTokenStore
from antiphon_client.tokens import TokenSource
from antiphon_server.app import running
from antiphon_server.app.wiring import AnyService
from antiphon_server.installation import NAMES, SERVICES, ServiceName
from antiphon_server.peers import Peers, peers_at
from antiphon_server.runtime.channels.routed_channel import RoutedChannel
from antiphon_server.runtime.configuration import Secret
from antiphon_server.settings import Settings
from tests.e2e.until import PATIENCE_S
from tests.proofs.bench.processes import free_port

SERVING = health_pb2.HealthCheckResponse.SERVING


def new_secret() -> Secret:
    """A secret of an installation."""
    return Secret(base64.b64encode(secrets.token_bytes(32)).decode())


@dataclass(slots=True)
class Installation:
    """Every service in a server of its own, started and stopped one by one.

    ``more`` are settings of all of them; ``tls`` is how clients and peers are spoken to.
    ``known`` are the services that there are.
    """

    home: Path
    more: dict[str, Any] = field(default_factory=dict)
    tls: Tls | None = None
    secret: Secret = field(default_factory=new_secret)
    known: Sequence[AnyService] = SERVICES
    ports: dict[ServiceName, int] = field(default_factory=dict)
    _running: dict[ServiceName, tuple[asyncio.Task[None], asyncio.Event]] = field(
        default_factory=dict
    )

    def settings(self, service: ServiceName, **other: Any) -> Settings:
        """Those of one service's server."""
        if not self.ports:
            self.ports = {each.name: free_port() for each in self.known}
        given = {
            "services": (service,),
            "peers": self.peers,
            "port": self.ports[service],
            "admin_port": None,
            "data_dir": self.home / service,
            "model": "scripted/echo",
            "secret_key": self.secret,
            "drain_grace_s": 1.0,
        }
        return Settings(**{**given, **self.more, **other})

    @property
    def peers(self) -> Peers:
        """Where each service is."""
        addresses = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        return peers_at(addresses, self.known)

    async def start(self, *services: ServiceName, **other: Any) -> None:
        """Start these servers, side by side; they serve when it returns."""
        async with asyncio.TaskGroup() as starting:
            for service in services:
                starting.create_task(self._start(service, self.settings(service, **other)))

    async def _start(self, service: ServiceName, settings: Settings) -> None:
        ready, stop = asyncio.Event(), asyncio.Event()

        async def run() -> None:
            async with running(settings, self.known):
                ready.set()
                await stop.wait()

        task = asyncio.create_task(run(), name=service)
        self._running[service] = task, stop
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            del self._running[service]
            await task

    async def stop(self, *services: ServiceName) -> None:
        """Stop these servers."""
        for service in services:
            task, stop = self._running.pop(service)
            stop.set()
            await task

    async def stop_all(self) -> None:
        """Stop those that run, the last started first."""
        for service in reversed(list(self._running)):
            await self.stop(service)

    async def __aenter__(self) -> Self:
        """Nothing runs yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_all()

    def channel_to(self, service: ServiceName) -> grpc.aio.Channel:
        """A channel to one of the servers."""
        return open_channel(f"127.0.0.1:{self.ports[service]}", self.tls)

    @contextlib.asynccontextmanager
    async def client(self, credentials: Credentials | None = None) -> AsyncIterator[Client]:
        """A client of all of them, by default the local operator's."""
        async with AsyncExitStack() as stack:
            routes: dict[str, grpc.aio.Channel] = {
                name: await stack.enter_async_context(self.channel_to(name)) for name in self.ports
            }
            channel = RoutedChannel(routes)
            exchange = TokenExchange(channel, "test")
            yield Client(
                channel,
                TokenSource(exchange, credentials or self.operator, MemoryTokenStore()),
                deadline=PATIENCE_S,
                silence=40.0,
                give_up_after=60.0,
                on_connection=ignore_connection,
            )

    @property
    def operator(self) -> ApiKey:
        """The local operator's credential."""
        return ApiKey((self.home / "auth" / "operator.key").read_text().strip())

    async def health(self, service: ServiceName, part: str = "") -> bool:
        """Whether that server says that the part serves."""
        async with self.channel_to(service) as channel:
            request = health_pb2.HealthCheckRequest(service=part)
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=10)
        return bool(answer.status == SERVING)

    async def until_health(self, service: ServiceName, part: str, *, serves: bool) -> None:
        """Return when it says so; raise TimeoutError after a while."""
        async with asyncio.timeout(30):
            while await self.health(service, part) is not serves:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def connected(self) -> None:
        """Return when every server that runs serves, and reaches every other one."""
        for service in self._running:
            await self.until_health(service, "", serves=True)
            for other in self._running:
                if other != service:
                    await self.until_health(service, f"peer.{other}", serves=True)


@contextlib.asynccontextmanager
async def installation(home: Path, **more: Any) -> AsyncIterator[Installation]:
    """All services, each apart."""
    async with Installation(home, more) as made:
        await made.start(*NAMES)
        await made.connected()
        yield made
