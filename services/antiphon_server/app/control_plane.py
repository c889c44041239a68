"""The mesh's own process: registry, control plane, and an Envoy at the edge."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import grpc

from antiphon.mesh.v1.registry_service_pb2_grpc import add_RegistryServiceServicer_to_server
from antiphon_server.app.edge import (
    LOOPBACK,
    as_server,
    edge_of,
    open_access_log,
    port_for_envoy,
    refuse_client_ca,
)
from antiphon_server.app.mesh_auth import RegistryRules, auth_of_mesh, jwks, verifier_of_mesh
from antiphon_server.app.secret import installation_secret
from antiphon_server.app.serving import serve_mesh_with
from antiphon_server.auth.compose.remote_auth import AuthElsewhere
from antiphon_server.installation import SERVICES
from antiphon_server.mesh.edge_view import LOOK_S, EdgeView
from antiphon_server.mesh.envoy.process import Envoy
from antiphon_server.mesh.instances import Registered
from antiphon_server.mesh.keys import KeysServer
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.mesh.registry import Registry
from antiphon_server.mesh.registry_metrics import RegistryMetrics
from antiphon_server.mesh.servicer import WATCH, RegistryServicer
from antiphon_server.runtime.access.rules import TokenVerifier
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.composition.descriptor import Descriptor
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.net.tls import ServerTls
from antiphon_server.runtime.process.admin import Admin
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.access_recheck import AccessRecheck
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.telemetry import TelemetryInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.rpc.server import CannotListen, Server
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from antiphon_server.settings import Settings
from antiphon_server.web.compose import serve_pages

if TYPE_CHECKING:
    from antiphon_server.mesh.control_plane import ControlPlane

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mesh:
    """A control plane that serves. ``envoy`` is None where somebody else runs the Envoys.

    ``known`` says what is registered.
    """

    registry: Address
    ads: Address
    edge: Address
    envoy: Envoy | None
    known: Callable[[], Sequence[Registered]]


@contextlib.asynccontextmanager
async def running_mesh(
    settings: Settings, known: Iterable[Descriptor] = SERVICES
) -> AsyncIterator[Mesh]:
    """Run a control plane of the ``known`` services for the time of the block.

    Raises CannotListen, EnvoyMissing, EnvoyDidNotStart, OSError, ExposedFileError,
    UnusableSecretError, UnusableCertificate.
    """
    health = Health()
    async with Lifecycle(health) as lifecycle:
        yield await _start(settings, known, lifecycle, health)


async def serve_mesh(settings: Settings, ready: Callable[[Mesh], None]) -> None:
    """Run a control plane until SIGTERM, SIGINT or SIGHUP; ``ready`` is told once it serves.

    Raises what ``running_mesh`` raises, and Insecure.
    """
    await serve_mesh_with(settings, as_server(settings), lambda: _serve(settings, ready))


async def _serve(settings: Settings, ready: Callable[[Mesh], None]) -> None:
    async with running_mesh(settings) as mesh:
        ready(mesh)
        await asyncio.Event().wait()


async def _start(
    settings: Settings, known: Iterable[Descriptor], lifecycle: Lifecycle, health: Health
) -> Mesh:
    refuse_client_ca(settings)
    mesh, secret = settings.mesh, installation_secret(settings)
    inside = Address(LOOPBACK, port_for_envoy(mesh, LOOPBACK, "inside_port"))
    registry = Registry(time.time, time.monotonic)
    auth = auth_of_mesh(settings, secret, inside, registry, lifecycle)
    wanted = edge_of(settings, inside, known)
    edge = await _edge(settings, wanted, auth, lifecycle)
    view = EdgeView(time.monotonic)
    verifier = verifier_of_mesh(secret, auth, settings.all_services)
    servicer = RegistryServicer(registry, view.of, AccessRecheck(RegistryRules(), verifier, WATCH))
    own = await _serve_registry(settings, servicer, verifier, lifecycle, health)
    ads = await _serve_ads(settings, registry, edge, own, auth, lifecycle)
    lifecycle.spawn("registry", registry.sweep())
    envoy = await _envoy(settings, ads, edge, lifecycle) if mesh.envoy else None
    if envoy is not None:
        admin = envoy.admin
        lifecycle.spawn("edge view", every(LOOK_S, lambda: view.look(admin)), vital=False)
    await _open_admin(settings, registry, envoy, lifecycle, health)
    await health.ready()
    return Mesh(own, ads, edge.listen, envoy, registry.instances)


async def _edge(settings: Settings, edge: Edge, auth: AuthElsewhere, lifecycle: Lifecycle) -> Edge:
    """As it is wanted, with the keys and pages that it asks this process for."""
    mesh = settings.mesh
    if mesh.envoy:
        await asyncio.to_thread(open_access_log, mesh)
    port = port_for_envoy(mesh, mesh.edge_host, "edge_port")
    edge = replace(edge, listen=Address(mesh.edge_host, port))
    if mesh.check_tokens:
        keys = KeysServer(lambda: jwks(auth))
        lifecycle.on_stop("keys", keys.stop)
        edge = replace(edge, keys=await keys.start(LOOPBACK))
    if settings.web and edge.pages is None:
        edge = replace(edge, pages=Address(LOOPBACK, await serve_pages(lifecycle)))
    return edge


async def _open(control_plane: "ControlPlane", auth: AuthElsewhere) -> None:
    """As soon as the keys are known that tokens are signed with."""
    await auth.follower.ready.wait()
    control_plane.open()


async def _serve_registry(
    settings: Settings,
    servicer: RegistryServicer,
    verifier: TokenVerifier,
    lifecycle: Lifecycle,
    health: Health,
) -> Address:
    table = LocalServer(
        [
            TelemetryInterceptor(RpcMetrics(), every_call=False),
            ErrorInterceptor(),
            AuthenticationInterceptor(verifier),
            ValidationInterceptor(),
            AccessInterceptor(RegistryRules()),
        ]
    )
    add_RegistryServiceServicer_to_server(servicer, table)
    for service in list(table.services):
        await health.set(service, serving=True)
    health.register(table)
    tls = ServerTls(settings.peer_tls).credentials() if settings.peer_tls else None
    server = Server(table, credentials=tls)
    lifecycle.on_stop("registry's port", lambda: server.stop(1.0))
    host = settings.mesh.host
    with _named("port or host"):
        port = await server.start(host, settings.mesh.port)
    lifecycle.on_stop("watches", servicer.drain)
    return Address(host, port)


async def _serve_ads(
    settings: Settings,
    registry: Registry,
    edge: Edge,
    own: Address,
    auth: AuthElsewhere,
    lifecycle: Lifecycle,
) -> Address:
    """On this machine alone: whoever reaches it learns all that Envoys are told."""
    from antiphon_server.mesh.compose import discovery

    control_plane, handler = await discovery(registry, edge, own)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((handler,))
    try:
        port = server.add_insecure_port(f"{LOOPBACK}:{settings.mesh.ads_port}")
    except RuntimeError as error:
        taken = f"{LOOPBACK}:{settings.mesh.ads_port}"
        raise CannotListen(taken, "ads_port in ANTIPHON_MESH") from error
    lifecycle.on_stop("ads", lambda: server.stop(None))
    await server.start()
    lifecycle.spawn("control plane", control_plane.run())
    lifecycle.spawn("certificates", every(LOOK_S, control_plane.renew), vital=False)
    lifecycle.spawn("opening", _open(control_plane, auth))
    return Address(LOOPBACK, port)


async def _envoy(settings: Settings, ads: Address, edge: Edge, lifecycle: Lifecycle) -> Envoy:
    from antiphon_server.mesh.compose import edge_of_mesh

    log_file = settings.data_dir / "envoy.log"
    envoy = edge_of_mesh(ads, edge, log_file)
    await envoy.serve(lifecycle, settings.drain_grace_s)
    return envoy


async def _open_admin(
    settings: Settings,
    registry: Registry,
    envoy: Envoy | None,
    lifecycle: Lifecycle,
    health: Health,
) -> None:
    if settings.mesh.admin_port is None:
        return
    figures = RegistryMetrics(registry)
    admin = Admin(health, [figures], envoy.admin.exposition if envoy is not None else None)
    lifecycle.on_stop("admin", admin.stop)
    with _named("admin_port"):
        await admin.start(settings.mesh.admin_port, settings.admin_host)


@contextlib.contextmanager
def _named(setting: str) -> Iterator[None]:
    """Whoever can't listen is told which setting it is about."""
    try:
        yield
    except CannotListen as error:
        raise CannotListen(error.address, f"{setting} in ANTIPHON_MESH") from error
