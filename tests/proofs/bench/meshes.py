"""What a mesh is made of, as processes of their own: stores, servers, control planes, Envoys."""

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.mesh.v1.registry_service_pb2 import ListInstancesRequest
from antiphon.mesh.v1.registry_service_pb2_grpc import RegistryServiceStub
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.adapters.service_identity import ServiceIdentity
from antiphon_server.installation import NAMES, ServiceName
from antiphon_server.mesh.compose import edge_before
from antiphon_server.mesh.model import Address, CallRates, Edge
from antiphon_server.stores.local_postgres import start_postgres
from antiphon_server.stores.local_redis import start_redis
from tests.e2e.process import HOST, all_of
from tests.proofs.bench.antiphon import antiphon, operator_token
from tests.proofs.bench.processes import READY_S, DidNotStart, family, free_port
from tests.proofs.bench.servers import Floor, Measured, MeasuredServer
from tests.proofs.robustness.mesh.edge import EdgeProcess

# One client calls thousands of times a second here: the filters work, but refuse nothing.
RATES = {"calls_per_s": 1_000_000, "calls_per_s_of_one": 1_000_000}
LOOK_S = 0.05
SERVING = health_pb2.HealthCheckResponse.SERVING


class Folders(Protocol):
    """Gives out new, empty folders."""

    def fresh(self) -> Path:
        """One of them."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What all processes of an installation share."""

    raw: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def text(self) -> str:
        """As servers read it."""
        return base64.b64encode(self.raw).decode()

    async def service_token(self, address: str) -> str:
        """A token of a service, from a server that serves."""
        async with grpc.aio.insecure_channel(address) as channel:
            identity = ServiceIdentity(
                "dispatcher", MasterSecret(self.raw), AuthServiceStub(channel)
            )
            signing_in = asyncio.create_task(identity.run())
            try:
                await asyncio.wait_for(identity.signed_in.wait(), READY_S)
            finally:
                signing_in.cancel()
                await asyncio.wait([signing_in])
        return identity.headers()[0][1].removeprefix("Bearer ")


@dataclass(frozen=True, slots=True)
class Stores:
    """A Postgres and a Redis; ``parts`` are their processes."""

    parts: dict[str, list[int]]
    _postgres: str = field(repr=False)
    _redis: str = field(repr=False)

    async def variables(self, name: str) -> dict[str, str]:
        """What leads servers to a new database of that name, and to the Redis."""
        import asyncpg

        connection = await asyncpg.connect(self._postgres)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        database = f"{self._postgres.rpartition('/')[0]}/{name}"
        return {"ANTIPHON_DATABASE_URL": database, "ANTIPHON_REDIS_URL": self._redis}


@asynccontextmanager
async def stores(folder: Path) -> AsyncIterator[Stores]:
    """Both, for the block's time."""
    async with AsyncExitStack() as stack:
        postgres = await start_postgres(folder / "postgres")
        stack.push_async_callback(postgres.child.stop)
        redis = await start_redis(folder / "redis")
        stack.push_async_callback(redis.child.stop)
        pids = {"Postgres": [postgres.child.pid or 0], "Redis": [redis.child.pid or 0]}
        yield Stores(pids, postgres.url, redis.url)


@dataclass(frozen=True, slots=True)
class Mesh:
    """Servers behind an Envoy; ``token`` is the local operator's access token."""

    edge: str
    servers: tuple[MeasuredServer, ...]
    parts: dict[str, list[int]]
    token: str = field(repr=False)
    secret: Secret

    def target(self, address: str = "", *, web: bool = False) -> dict[str, Any]:
        """What a load is told: to call the edge, or a server by its address."""
        told = {"address": address or self.edge, "pid": self.servers[0].pid, "token": self.token}
        return told | {"parts": self.parts, "web": web}

    async def publisher(self) -> dict[str, Any]:
        """A service that calls the first server directly: the edge lets none through."""
        token = await self.secret.service_token(self.servers[0].address)
        return self.servers[0].target | {"token": token}


class _Plane(Measured, EdgeProcess):
    """A control plane and its Envoy."""


@asynccontextmanager
async def mesh(
    folders: Folders,
    count: int,
    variables: Mapping[str, str] | None = None,
    parts: Mapping[str, list[int]] | None = None,
    model_url: str = "",
) -> AsyncIterator[Mesh]:
    """So many whole servers behind an Envoy, all of them in its endpoints."""
    secret, home = Secret(), folders.fresh()
    plane = _Plane(home / "mesh", secret.text, **RATES)
    joined = {"ANTIPHON_REGISTRY": plane.registry, "ANTIPHON_SECRET_KEY": secret.text}
    servers = [
        antiphon(home / f"{number}", model_url, {**(variables or {}), **joined})
        for number in range(1, count + 1)
    ]
    async with plane, all_of(servers):
        token = await operator_token(servers[0])
        await _all_there(plane.address, token, count)
        found = {
            "servers": [server.pid for server in servers],
            "Envoy": [envoy_of(plane.pid)],
            **(parts or {}),
        }
        yield Mesh(plane.address, tuple(servers), found, token, secret)


def envoy_of(pid: int) -> int:
    """The Envoy that a process has started."""
    return next(process.pid for process in family(pid) if process.name() == "envoy")


async def _all_there(edge: str, token: str, count: int) -> None:
    """Return when the edge sends calls to all of them. Raises DidNotStart."""
    seen: set[str] = set()
    async with grpc.aio.insecure_channel(edge) as channel:
        stub: Any = RegistryServiceStub(channel)
        metadata = (("authorization", f"Bearer {token}"),)
        try:
            async with asyncio.timeout(READY_S):
                while len(seen) < count:
                    await asyncio.sleep(LOOK_S)
                    with contextlib.suppress(grpc.aio.AioRpcError):
                        answer = await stub.ListInstances(
                            ListInstancesRequest(), metadata=metadata, timeout=5
                        )
                        seen = {it.node_id for it in answer.instances if it.edge.healthy}
        except TimeoutError:
            raise DidNotStart(f"the edge knows {len(seen)} of {count} servers") from None


@asynccontextmanager
async def edge_before_floor(folders: Folders, floor: Floor) -> AsyncIterator[dict[str, Any]]:
    """What a load is told of an Envoy before a bare server, with all filters but for tokens'."""
    rates = CallRates(RATES["calls_per_s"], RATES["calls_per_s_of_one"])
    edge = Edge(Address(HOST, 0), rates=rates)
    envoy = edge_before(Address(HOST, floor.port), edge, folders.fresh() / "envoy.log")
    port = await envoy.start()
    try:
        parts = {"servers": [floor.pid], "Envoy": [envoy.pid or 0]}
        yield {"address": f"{HOST}:{port}", "pid": floor.pid, "parts": parts}
    finally:
        await envoy.stop()


@asynccontextmanager
async def apart(
    folders: Folders,
    *,
    model_url: str = "",
    certificates: Path | None = None,
    service: ServiceName = "events",
    port: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[dict[str, Any]]:
    """What a load is told of two processes: one ``service``, and the others, which clients call.

    The one is at ``port``; ``variables`` are settings of both. With ``certificates`` both show
    theirs where the one calls the other's log.
    """
    secret, home = Secret(), folders.fresh()
    ports = {"rest": free_port(), service: port or free_port()}
    rest_of = [name for name in NAMES if name != service]
    peers = dict.fromkeys(rest_of, f"{HOST}:{ports['rest']}")
    peers[service] = f"{HOST}:{ports[service]}"
    shared = {
        "ANTIPHON_SECRET_KEY": secret.text,
        "ANTIPHON_PEERS": json.dumps(peers),
        **(variables or {}),
    }
    rest, events = _shown(certificates) if certificates else ({}, {})
    one = antiphon(home / "rest", model_url, shared | rest, ("serve", *rest_of), ports["rest"])
    other = antiphon(home / service, "", shared | events, ("serve", service), ports[service])
    async with all_of((one, other)):
        await _reaches(one.address, f"peer.{service}")
        token = await operator_token(other if service == "auth" else one)
        parts = {"called": [one.pid], "log" if service == "events" else service: [other.pid]}
        yield {"address": one.address, "pid": one.pid, "token": token, "parts": parts}


def _shown(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Settings of a caller and of who is called, by which both show a certificate."""

    def file(name: str) -> str:
        return str(folder / name)

    caller = {
        "ANTIPHON_PEER_CA": file("ca.pem"),
        "ANTIPHON_PEER_CERT": file("context.pem"),
        "ANTIPHON_PEER_KEY": file("context.key"),
    }
    called = {
        "ANTIPHON_TLS_CERT": file("events.pem"),
        "ANTIPHON_TLS_KEY": file("events.key"),
        "ANTIPHON_TLS_CLIENT_CA": file("ca.pem"),
    }
    return caller, called


async def _reaches(address: str, part: str) -> None:
    """Return when a server says that it reaches a peer. Raises DidNotStart."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=part)
        try:
            async with asyncio.timeout(READY_S):
                while (await stub.Check(request)).status != SERVING:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise DidNotStart(f"{part} is not there") from None
