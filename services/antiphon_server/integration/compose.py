"""The composition root's slice for the world outside: every concrete class in its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1.connection_service_pb2_grpc import (
    add_ConnectionServiceServicer_to_server,
)
from antiphon.integration.v1.integration_service_pb2_grpc import (
    add_IntegrationServiceServicer_to_server,
)
from antiphon.integration.v1.secret_service_pb2_grpc import add_SecretServiceServicer_to_server
from antiphon.integration.v1.tool_service_pb2_grpc import add_ToolServiceServicer_to_server
from antiphon_server.integration.connection_encoding import connection_status
from antiphon_server.integration.connection_servicer import ConnectionServicer
from antiphon_server.integration.connections.adapters.announcements import Announcements
from antiphon_server.integration.connections.adapters.connection_health import ConnectionHealth
from antiphon_server.integration.connections.adapters.connection_metrics import ConnectionMetrics
from antiphon_server.integration.connections.adapters.grants import SealedGrants
from antiphon_server.integration.connections.adapters.grpc_calls.kind import GrpcServers
from antiphon_server.integration.connections.adapters.mcp_kinds import McpPrograms, McpServers
from antiphon_server.integration.connections.adapters.newer_kind import NewerKind
from antiphon_server.integration.connections.adapters.relay_access import PolicyRelayAccess
from antiphon_server.integration.connections.adapters.relay_homes import RelayHomes
from antiphon_server.integration.connections.adapters.rest_kind import RestServices
from antiphon_server.integration.connections.adapters.signing import OperatorSecrets
from antiphon_server.integration.connections.adapters.sql import SqlConnections
from antiphon_server.integration.connections.adapters.sql_egress import SqlEgressRules
from antiphon_server.integration.connections.adapters.web_socket_kind import WebSockets
from antiphon_server.integration.connections.authorization import Authorizations
from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.forwarding import Forwarding
from antiphon_server.integration.connections.mcp.ports import Sampling
from antiphon_server.integration.connections.model import (
    Connection,
    Grpc,
    Mcp,
    McpProgram,
    Newer,
    OpenApi,
    ProgramId,
    Status,
    WebSocket,
)
from antiphon_server.integration.connections.relays import Relays
from antiphon_server.integration.connections.settings import ConnectionSettings, ProgramSettings
from antiphon_server.integration.ledger.adapters.lost_calls import LostCalls
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.ports import Ledger
from antiphon_server.integration.ledger.usage import UsageReports
from antiphon_server.integration.models.adapters.backends import make_backend
from antiphon_server.integration.models.adapters.prices import PublicModels
from antiphon_server.integration.models.attempt import Attempts
from antiphon_server.integration.models.catalogue import Catalogue
from antiphon_server.integration.models.generation import Generator, Patience
from antiphon_server.integration.models.room import UNLIMITED, Limits
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.integration.relaying import Relaying
from antiphon_server.integration.sampling import ModelSampling
from antiphon_server.integration.secret_servicer import SecretServicer
from antiphon_server.integration.secrets.adapters.kept import SqlKeptSecrets
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.secrets.ports import SecretStore
from antiphon_server.integration.servicer import IntegrationServicer
from antiphon_server.integration.tool_servicer import ToolServicer
from antiphon_server.integration.tools.adapters.builtin import BuiltIn
from antiphon_server.integration.tools.adapters.messages import ContextMessages
from antiphon_server.integration.tools.adapters.sql import SqlRuleStore
from antiphon_server.integration.tools.adapters.sql_pins import SqlPinStore
from antiphon_server.integration.tools.adapters.sql_results import SqlResultStore
from antiphon_server.integration.tools.adapters.tool_metrics import ToolMetrics
from antiphon_server.integration.tools.calls import LIMIT_S, ToolCaller
from antiphon_server.integration.tools.catalogue import Catalogue as ToolCatalogue
from antiphon_server.integration.tools.ports import ResultStore, States
from antiphon_server.integration.tools.settings import ToolSettings
from antiphon_server.integration.trail.adapters.audit import AuditServiceTrail
from antiphon_server.integration.trail.adapters.outbox import SqlOutbox
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.access.rules import AccessPolicy, TokenRechecker
from antiphon_server.runtime.channels.server_ways import ServerWays
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.runtime.net.http_pool import HttpPool
from antiphon_server.runtime.nodes.standing import Lease
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.access_recheck import AccessRecheck
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.telemetry.structured import structlog

OWNER = "local"
GENERATE = "/antiphon.integration.v1.IntegrationService/Generate"

logger = structlog.get_logger(__name__)
Made: TypeAlias = tuple[Connections, Authorizations | None]
"""Connections, and people's consents to them; None where nobody is asked."""


class ProcessSettings(Protocol):
    """What of a process's settings the service reads."""

    @property
    def data_dir(self) -> Path:
        """Where this process keeps files."""
        ...

    @property
    def lease_s(self) -> float:
        """How long a server's lease on a shared database is."""
        ...

    @property
    def max_prompt_tokens(self) -> int:
        """The most tokens of a prompt to any model; 0 leaves it to each."""
        ...

    @property
    def max_output_tokens(self) -> int:
        """The most tokens of an answer that nobody asked to be longer; 0 leaves it to each."""
        ...

    @property
    def connections(self) -> Sequence[ConnectionSettings]:
        """Those that all workspaces may use."""
        ...

    @property
    def programs(self) -> Mapping[str, ProgramSettings]:
        """The programs that connections may start, by id."""
        ...

    @property
    def max_programs(self) -> int:
        """How many of them run at once."""
        ...

    @property
    def oauth_client_url(self) -> str:
        """Where this installation says what it is to authorization servers, or ""."""
        ...

    def egress(self) -> EgressPolicy:
        """Where calls may go that workspaces name."""
        ...

    @property
    def tool_call_s(self) -> float:
        """How long a call of a tool may take, in seconds."""
        ...

    @property
    def kept_result_bytes(self) -> int:
        """How many bytes of large results of tools are kept for each workspace."""
        ...

    def all_models(self) -> Sequence[ModelSettings]:
        """Those that can be called, the default first."""
        ...


@dataclass(frozen=True, slots=True)
class Integration(Service):
    """The integration service; ``lost_calls`` are those of servers that share its database.

    Without ``secrets`` it serves none: whoever composes it alone has no installation's secret,
    nor a ``trail`` of what is changed.
    """

    servicer: IntegrationServicer
    tool_servicer: ToolServicer
    connections: Connections
    forwarding: Forwarding
    relays: Relays
    relaying: Relaying
    tool_metrics: ToolMetrics
    catalogue: Catalogue
    generator: Generator
    ledger: Ledger
    pool: HttpPool
    owner: str
    lost_calls: LostCalls | None = None
    secrets: SecretStore | None = None
    authorizations: Authorizations | None = None
    trail: TrailRelay | None = None
    homes: RelayHomes | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        add_IntegrationServiceServicer_to_server(self.servicer, server)
        add_ToolServiceServicer_to_server(self.tool_servicer, server)
        trail = self.trail
        if self.authorizations is not None and trail is not None:
            about = (self.connections, self.forwarding, self.authorizations)
            servicer = ConnectionServicer(*about, trail, self.relaying)
            add_ConnectionServiceServicer_to_server(servicer, server)
        if self.secrets is not None and trail is not None:
            secrets = SecretServicer(self.secrets, self.connections, trail)
            add_SecretServiceServicer_to_server(secrets, server)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Settle what an earlier process left open, and what others leave."""
        lifecycle.on_stop("integration", self.close)
        await self.settle()
        self.catalogue.look_up_default()
        self.connections.tell(ConnectionHealth(health))
        self.connections.start()
        lifecycle.spawn("integration.connections", self.connections.tidy(), vital=False)
        if self.trail is not None:
            lifecycle.spawn("integration.trail", self.trail.run(), vital=False)
        if self.lost_calls is not None:
            lifecycle.spawn("integration.lost", self.lost_calls.run(), vital=False)

    async def drain(self, grace_s: float) -> None:
        """See :meth:`Service.drain`."""
        await self.relays.drain()

    def streams(self) -> int:
        """See :meth:`Service.streams`."""
        return len(self.relays)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        return [self.tool_metrics, ConnectionMetrics(self.connections)]

    async def settle(self) -> None:
        """Settle what an earlier process left open, and warn of models that can't be asked."""
        for model in self.catalogue.unusable():
            logger.warning("model can't be asked", model=model.name, missing=model.missing)
        abandoned = await self.ledger.abandon(self.owner)
        if abandoned:
            logger.warning("model calls of an earlier process have no known end", count=abandoned)

    async def close(self) -> None:
        """Stop the local model, close all connections, and write what waits."""
        await self.connections.close()
        if self.homes is not None:
            await self.homes.close()
        if self.trail is not None:
            await self.trail.close()
        await self.catalogue.close()
        await self.pool.close()
        await self.ledger.close()


def compose_service(
    settings: ProcessSettings, infrastructure: Infrastructure, links: Links, guards: Guards
) -> Integration:
    """Put the integration service on what its process has."""
    database, lease = infrastructure.database, infrastructure.lease
    secrets = SqlKeptSecrets(database, infrastructure.secret)
    results = SqlResultStore(database, settings.kept_result_bytes)
    return compose_integration(
        database,
        settings.all_models(),
        guards.roles,
        guards.verifier,
        owner=infrastructure.node or OWNER,
        lost_calls=LostCalls(database, lease_s=settings.lease_s) if lease else None,
        lease=lease,
        limits=Limits(settings.max_prompt_tokens, settings.max_output_tokens),
        public=PublicModels(settings.data_dir),
        connections=partial(_connections, settings, database, secrets, links),
        secrets=secrets,
        tool_call_s=settings.tool_call_s,
        secret=infrastructure.secret,
        results=results,
        trail=TrailRelay(SqlOutbox(database), AuditServiceTrail(AuditServiceStub(links.internal))),
        asked=guards.policy,
        shares=infrastructure.shares,
        homes=RelayHomes(database, lease, ServerWays(links.to_server)) if lease else None,
    )


def _connections(
    settings: ProcessSettings,
    database: Database,
    stored: SqlKeptSecrets,
    links: Links,
    sampling: Sampling,
) -> Made:
    """The tools of the product itself, the installation's connections, and those of workspaces."""
    given, policy = settings.connections, settings.egress()
    results = SqlResultStore(database, settings.kept_result_bytes)
    own = {SecretName(it.name): it.token for it in given if it.token}
    signed_by, grants = OperatorSecrets(own, stored), SealedGrants(stored)
    programs = {ProgramId(name): it for name, it in settings.programs.items()}
    store, servers = (
        SqlConnections(database),
        McpServers(policy, signed_by, sampling, grants, settings.oauth_client_url),
    )
    connections = Connections(
        store,
        {
            Mcp: servers,
            McpProgram: McpPrograms(programs, settings.max_programs, sampling),
            OpenApi: RestServices(policy, signed_by, store),
            WebSocket: WebSockets(policy, signed_by),
            Grpc: GrpcServers(policy, signed_by, store),
            Newer: NewerKind(),
        },
        Announcements(EventServiceStub(links.internal), connection_status),
        SqlEgressRules(database),
        [it.connection for it in given],
        [BuiltIn(ContextMessages(ContextServiceStub(links.internal)), results)],
        grants.forget,
    )
    return connections, Authorizations(connections, servers, grants)


def compose_integration(
    database: Database,
    models: Sequence[ModelSettings],
    policy: AccessPolicy,
    verifier: TokenRechecker,
    *,
    ledger: Ledger | None = None,
    owner: str = OWNER,
    patience: Patience | None = None,
    lost_calls: LostCalls | None = None,
    lease: Lease | None = None,
    limits: Limits = UNLIMITED,
    public: PublicModels | None = None,
    connections: Callable[[Sampling], Made] | None = None,
    tool_call_s: float = LIMIT_S,
    secret: States | None = None,
    secrets: SecretStore | None = None,
    results: ResultStore | None = None,
    trail: TrailRelay | None = None,
    asked: AccessPolicy | None = None,
    homes: RelayHomes | None = None,
    shares: Shares | None = None,
) -> Integration:
    """Put the service on a database; ``models`` are callable, the default first.

    ``owner`` names this server in the ledger, the same after a restart, and unlike
    every other server on the same database. ``policy`` and ``verifier`` are asked while
    users are answered, ``asked`` before they are let in on a stream. ``connections`` are where
    tools come from, a call of which may take ``tool_call_s``, and people's consents to them.
    ``secret`` seals what calls go on with that ask people.
    """
    pool, known = HttpPool(), public or PublicModels()
    ledger = ledger or SqlLedger(database)
    catalogue = Catalogue(models, lambda settings: make_backend(settings, pool, known), limits)
    calls = PricedCalls(ledger, owner)
    generator = Generator(catalogue, Attempts(calls), patience)
    make = connections or (lambda _: (_none(database), None))
    made, authorizations = make(ModelSampling(generator))
    known_tools = ToolCatalogue(made, SqlRuleStore(database), SqlPinStore(database))
    tool_metrics = ToolMetrics()
    results = results or SqlResultStore(database, ToolSettings().kept_bytes)
    caller = ToolCaller(
        known_tools, calls, results, tool_call_s, tool_metrics.observe, secret, lease
    )
    tool_servicer = ToolServicer(known_tools, caller, results)
    forwarding = Forwarding(made, calls)
    access = PolicyRelayAccess(asked or policy, policy, verifier)
    named = homes.named if homes else partial(new_id, "relay")
    relays = Relays(made, calls, access, named, shares or Shares())
    relaying = Relaying(relays, access, homes)
    recheck = AccessRecheck(policy, verifier, GENERATE)
    servicer = IntegrationServicer(catalogue, generator, UsageReports(ledger), recheck)
    parts = (catalogue, generator, ledger, pool, owner, lost_calls, secrets, authorizations)
    return Integration(
        servicer,
        tool_servicer,
        made,
        forwarding,
        relays,
        relaying,
        tool_metrics,
        *parts,
        trail,
        homes,
    )


def _none(database: Database) -> Connections:
    """Those of nothing: no kind, and nobody who is told."""
    return Connections(SqlConnections(database), {}, _nobody, SqlEgressRules(database))


async def _nobody(connection: Connection, status: Status | None) -> None:
    """Nobody is told."""
