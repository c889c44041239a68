"""The mesh's own process: registry, control plane, and an Envoy at the edge."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import grpc
import msgspec

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.mesh.v1.registry_service_pb2_grpc import add_RegistryServiceServicer_to_server
from antiphon_client.address import open_channel
from antiphon_server import hardening
from antiphon_server.app.peer_tls import peer_tls
from antiphon_server.app.secret import AUDIENCE, installation_secret
from antiphon_server.app.serving import unless_told
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.adapters.service_identity import ServiceIdentity
from antiphon_server.auth.compose import AuthElsewhere, compose_elsewhere
from antiphon_server.auth.service.service_statements import StatementReader, StatementVerifier
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.mesh.edge_view import LOOK_S, EdgeView
from antiphon_server.mesh.envoy.process import Envoy
from antiphon_server.mesh.instances import Registered
from antiphon_server.mesh.keys import Jwk, KeysServer
from antiphon_server.mesh.model import Address, CallRates, Edge
from antiphon_server.mesh.registry import Registry
from antiphon_server.mesh.registry_metrics import RegistryMetrics
from antiphon_server.mesh.servicer import WATCH, RegistryServicer
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.runtime import base64url
from antiphon_server.runtime.access import TokenRechecker, TokenVerifier
from antiphon_server.runtime.admin import Admin
from antiphon_server.runtime.configuration import WrongSetting, host_and_port
from antiphon_server.runtime.data_dir import exclusive
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.health import Health
from antiphon_server.runtime.installation import SERVICES
from antiphon_server.runtime.interceptors.access import AccessInterceptor
from antiphon_server.runtime.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.interceptors.telemetry import TelemetryInterceptor
from antiphon_server.runtime.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.lifecycle import Lifecycle
from antiphon_server.runtime.local_channel import LocalServer
from antiphon_server.runtime.metrics import RpcMetrics
from antiphon_server.runtime.peer_channel import PeerChannel
from antiphon_server.runtime.permissions import Rule
from antiphon_server.runtime.policy import Decision, Question, decide
from antiphon_server.runtime.principal import Principal
from antiphon_server.runtime.server import CannotListen, Server
from antiphon_server.runtime.standing import Standing
from antiphon_server.runtime.tasks import every
from antiphon_server.runtime.telemetry import configure_logging
from antiphon_server.runtime.tls import ServerTls
from antiphon_server.settings import Settings
from antiphon_server.web.compose import serve_pages

if TYPE_CHECKING:
    from antiphon_server.mesh.control_plane import ControlPlane

NAME = "mesh"
LOOPBACK = "127.0.0.1"
_NO_CLIENT_CA = (
    "tls_client_ca: the edge asks its clients for no certificates; leave ANTIPHON_TLS_CLIENT_CA "
    "to servers, and to a proxy before the edge (ANTIPHON_PEER_CA is for who is behind it)"
)
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
async def running_mesh(settings: Settings) -> AsyncIterator[Mesh]:
    """Run a control plane for the time of the block.

    Raises CannotListen, EnvoyMissing, EnvoyDidNotStart, OSError, ExposedFileError,
    UnusableSecretError, UnusableCertificate.
    """
    health = Health()
    async with Lifecycle(health) as lifecycle:
        yield await _start(settings, lifecycle, health)


async def serve_mesh(settings: Settings, ready: Callable[[Mesh], None]) -> None:
    """Run a control plane until SIGTERM, SIGINT or SIGHUP; ``ready`` is told once it serves.

    Raises what ``running_mesh`` raises, and Insecure.
    """
    weaknesses = hardening.insist(_as_server(settings))
    os.umask(0o077)  # whatever is written is the user's alone
    configure_logging(settings.log_level, settings.log_format, settings.log_file)
    for weakness in weaknesses:
        log.warning("%s", weakness)
    with exclusive(settings.data_dir / NAME):
        await unless_told(_serve(settings, ready))


async def _serve(settings: Settings, ready: Callable[[Mesh], None]) -> None:
    async with running_mesh(settings) as mesh:
        ready(mesh)
        await asyncio.Event().wait()


def _as_server(settings: Settings) -> Settings:
    """The edge is the port that strangers reach, and the registry is where nodes reach it."""
    mesh = settings.mesh
    return msgspec.structs.replace(
        settings, host=mesh.edge_host, registry=str(Address(mesh.host, mesh.port))
    )


def rendered(settings: Settings) -> str:
    """Envoy's configuration as one file, with services where the settings say that they are.

    It checks no tokens: the keys are a control plane's, which has them from auth.

    Raises WrongSetting.
    """
    from antiphon_server.mesh.edge.static import services_at

    mesh, peers = settings.mesh, settings.peers
    edge = replace(
        _edge(settings, Address(LOOPBACK, mesh.inside_port)),
        listen=Address(mesh.edge_host, mesh.edge_port),
    )
    where: dict[str, list[Address]] = {name: [_of(name, peers.address(name))] for name in SERVICES}
    where[NAME] = [Address(mesh.host, mesh.port)]
    return services_at(edge, where)


def rendered_bootstrap(settings: Settings) -> str:
    """What an Envoy on this machine starts with that asks the control plane for all else."""
    from antiphon_server.mesh.edge.dynamic import bootstrap

    return bootstrap("edge", Address(LOOPBACK, settings.mesh.ads_port)).to_json(indent=2)


async def _start(settings: Settings, lifecycle: Lifecycle, health: Health) -> Mesh:
    mesh, secret = settings.mesh, installation_secret(settings)
    inside = Address(LOOPBACK, _for_envoy(mesh, LOOPBACK, "inside_port"))
    registry = Registry(time.time, time.monotonic)
    auth = _auth(settings, secret, inside, registry, lifecycle)
    keys = KeysServer(lambda: _jwks(auth))
    lifecycle.on_stop("keys", keys.stop)
    listen = Address(mesh.edge_host, _for_envoy(mesh, mesh.edge_host, "edge_port"))
    edge = _edge(settings, inside)
    edge = replace(
        edge, listen=listen, keys=await keys.start(LOOPBACK) if mesh.check_tokens else None
    )
    if settings.web and edge.pages is None:
        edge = replace(edge, pages=Address(LOOPBACK, await serve_pages(lifecycle)))
    view = EdgeView(time.monotonic)
    verifier = _verifier(secret, auth)
    servicer = RegistryServicer(registry, view.of, Standing(_Rules(), verifier, WATCH))
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


def refuse_client_ca(settings: Settings) -> None:
    """Raise WrongSetting if clients of the edge were to show certificates: it asks for none."""
    if settings.tls_client_ca is not None:
        raise WrongSetting(_NO_CLIENT_CA)


def _edge(settings: Settings, inside: Address) -> Edge:
    """As the settings have it; ports that are 0 have not been picked yet. Raises WrongSetting."""
    refuse_client_ca(settings)
    mesh = settings.mesh
    limited = mesh.calls_per_s or mesh.calls_per_s_of_one
    return Edge(
        Address(mesh.edge_host, mesh.edge_port),
        pages=_address("pages", mesh.pages),
        origins=mesh.origins,
        tls=settings.tls,
        reflects=settings.reflects,
        trusted_hops=mesh.trusted_hops,
        access_log=mesh.access_log,
        rates=CallRates(mesh.calls_per_s, mesh.calls_per_s_of_one) if limited else None,
        traces=_address("traces", mesh.traces),
        inside=inside,
        peers=settings.peer_tls,
    )


def _auth(
    settings: Settings,
    secret: MasterSecret,
    inside: Address,
    registry: Registry,
    lifecycle: Lifecycle,
) -> AuthElsewhere:
    """The way to the auth service: through Envoy, which knows where it is."""
    if settings.mesh.envoy:
        channel = open_channel(str(inside))
    else:
        channel = open_channel(settings.peers.auth, peer_tls(settings))
    lifecycle.on_stop("auth", channel.close)
    identity = ServiceIdentity(NAME, secret, AuthServiceStub(channel))
    life = TokenSettings(user_seconds=settings.access_token_minutes * 60)
    auth = compose_elsewhere(PeerChannel(channel, identity.headers), life)
    lifecycle.spawn("identity", _sign_in(identity, registry), vital=False)
    lifecycle.spawn("auth.follower", auth.follower.run(), vital=False)
    return auth


async def _sign_in(identity: ServiceIdentity, registry: Registry) -> None:
    """As soon as there is somebody to sign in with."""
    version = -1
    while not any(each.announced.key.service == "auth" for each in registry.instances()):
        version = await registry.later_than(version)
    await identity.run()


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
            AccessInterceptor(_Rules()),
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


def _verifier(secret: MasterSecret, auth: AuthElsewhere) -> TokenRechecker:
    return _Either(StatementVerifier(StatementReader(secret, AUDIENCE, time.time)), auth.verifier)


class _Either:
    """Services show statements, people tokens."""

    def __init__(self, statements: TokenVerifier, tokens: TokenVerifier) -> None:
        self._statements = statements
        self._tokens = tokens

    async def verify(self, token: str) -> Principal:
        """See :meth:`TokenVerifier.verify`."""
        try:
            return await self._statements.verify(token)
        except DomainError:
            return await self._tokens.verify(token)

    async def recheck(self, token: str, principal: Principal) -> None:
        """See :meth:`TokenRechecker.recheck`; here a token that ends ends a watch, too."""
        await self._tokens.verify(token)


class _Rules:
    """What the registry declares takes no roles: rules alone decide."""

    async def decide(self, principal: Principal, rule: Rule, resource: str = "") -> Decision:
        """See :meth:`AccessPolicy.decide`."""
        return decide(Question(principal, rule, resource))


def _jwks(auth: AuthElsewhere) -> list[Jwk]:
    return [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "kid": kid,
            "x": base64url.encoded(key.public_bytes_raw()),
        }
        for kid, key in auth.signing_keys.known().items()
    ]


def _address(setting: str, text: str) -> Address | None:
    return _of(setting, text) if text else None


def _of(setting: str, text: str) -> Address:
    return Address(*host_and_port(setting, text))


@contextlib.contextmanager
def _named(setting: str) -> Iterator[None]:
    """Whoever can't listen is told which setting it is about."""
    try:
        yield
    except CannotListen as error:
        raise CannotListen(error.address, f"{setting} in ANTIPHON_MESH") from error


def _for_envoy(mesh: MeshSettings, host: str, name: str) -> int:
    """The port of that name, which an Envoy here or elsewhere listens on."""
    port: int = getattr(mesh, name)
    return picked(host, port, f"{name} in ANTIPHON_MESH") if mesh.envoy or not port else port


def picked(host: str, port: int, setting: str) -> int:
    """The port if it is free, or one that is in place of 0: every Envoy is told the same.

    An Envoy that can't listen tells its log alone. Raises CannotListen, which names the
    ``setting``.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as probe:
            found: int = probe.getsockname()[1]
            return found
    except OSError as error:
        raise CannotListen(str(Address(host, port)), setting) from error
