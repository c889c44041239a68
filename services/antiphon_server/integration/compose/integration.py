"""The service on what its process has."""

from collections.abc import Callable, Sequence
from functools import partial

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceStub
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceStub
from antiphon_server.integration.breakers.adapters.sql import SqlSwitches
from antiphon_server.integration.breakers.model import model_target
from antiphon_server.integration.breakers.switches import Switches
from antiphon_server.integration.compose.budgets import ComposedBudgets, compose_budgets
from antiphon_server.integration.compose.connections import (
    Made,
    compose_connections,
    no_connections,
)
from antiphon_server.integration.compose.service import Breakers, Integration
from antiphon_server.integration.compose.settings import ProcessSettings
from antiphon_server.integration.connections.adapters.relay_access import PolicyRelayAccess
from antiphon_server.integration.connections.forwarding import Forwarding
from antiphon_server.integration.connections.mcp.ports import Sampling
from antiphon_server.integration.connections.relays import Relays
from antiphon_server.integration.ledger.adapters.lost_calls import LostCalls
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.ports import Ledger
from antiphon_server.integration.ledger.usage import UsageReports
from antiphon_server.integration.models.adapters.announcements import ModelAnnouncements
from antiphon_server.integration.models.adapters.backends import make_backend
from antiphon_server.integration.models.adapters.conversations import GENERATE, ContextConversations
from antiphon_server.integration.models.adapters.prices import PublicModels
from antiphon_server.integration.models.adapters.tokenizers import Tokenizers
from antiphon_server.integration.models.attempt import Attempts
from antiphon_server.integration.models.catalogue import Catalogue
from antiphon_server.integration.models.generation import Generator, Patience
from antiphon_server.integration.models.lost import LostAnswers
from antiphon_server.integration.models.paying import Paying
from antiphon_server.integration.models.ports import Conversations, Told
from antiphon_server.integration.models.room import UNLIMITED, Limits
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.integration.relaying import Relaying
from antiphon_server.integration.sampling import ModelSampling
from antiphon_server.integration.secrets.adapters.kept import SqlKeptSecrets
from antiphon_server.integration.secrets.ports import SecretStore
from antiphon_server.integration.servicer import IntegrationServicer
from antiphon_server.integration.tool_servicer import ToolServicer
from antiphon_server.integration.tools.adapters.filters import FilterServiceScreen
from antiphon_server.integration.tools.adapters.sql import SqlRuleStore
from antiphon_server.integration.tools.adapters.sql_pins import SqlPinStore
from antiphon_server.integration.tools.adapters.sql_results import SqlResultStore
from antiphon_server.integration.tools.adapters.tool_metrics import ToolMetrics
from antiphon_server.integration.tools.calls import LIMIT_S, ToolCaller
from antiphon_server.integration.tools.catalogue import Catalogue as ToolCatalogue
from antiphon_server.integration.tools.ports import ResultStore, States
from antiphon_server.integration.tools.settings import ToolSettings
from antiphon_server.integration.trail.adapters.outbox import SqlOutbox
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.access.rules import AccessPolicy, TokenRechecker
from antiphon_server.runtime.channels.server_ways import ServerWays
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.net.http_pool import HttpPool
from antiphon_server.runtime.nodes.homes import Homes
from antiphon_server.runtime.nodes.standing import Lease
from antiphon_server.runtime.rpc.access_recheck import AccessRecheck
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.audit import AuditServiceTrail

OWNER = "local"
SPARE_CONNECTIONS = 64
"""Beside those of all calls that models have places for, so that none waits for another's."""


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
        ContextConversations(ContextServiceStub(links.internal), guards.policy),
        owner=infrastructure.node or OWNER,
        lost_calls=LostCalls(database, lease_s=settings.lease_s) if lease else None,
        lease=lease,
        limits=Limits(settings.max_prompt_tokens, settings.max_output_tokens),
        public=PublicModels(settings.data_dir),
        connections=partial(compose_connections, settings, database, secrets, links),
        secrets=secrets,
        tool_call_s=settings.tool_call_s,
        secret=infrastructure.secret,
        results=results,
        trail=TrailRelay(SqlOutbox(database), AuditServiceTrail(AuditServiceStub(links.internal))),
        asked=guards.policy,
        shares=infrastructure.shares,
        homes=Homes("relay", ConnectionServiceStub, database, lease, ServerWays(links.to_server))
        if lease
        else None,
        budgets=compose_budgets(database, links, guards.policy),
        told=[ModelAnnouncements(EventServiceStub(links.internal))],
        callers=guards.callers,
        filters=FilterServiceScreen(FilterServiceStub(links.internal)),
    )


def compose_integration(
    database: Database,
    models: Sequence[ModelSettings],
    policy: AccessPolicy,
    verifier: TokenRechecker,
    conversations: Conversations,
    *,
    ledger: Ledger | None = None,
    owner: str = OWNER,
    patience: Patience | None = None,
    lost_calls: LostCalls | None = None,
    lease: Lease | None = None,
    limits: Limits = UNLIMITED,
    public: PublicModels | None = None,
    connections: Callable[[Sampling, Switches], Made] | None = None,
    tool_call_s: float = LIMIT_S,
    secret: States | None = None,
    secrets: SecretStore | None = None,
    results: ResultStore | None = None,
    trail: TrailRelay | None = None,
    asked: AccessPolicy | None = None,
    homes: Homes | None = None,
    shares: Shares | None = None,
    budgets: ComposedBudgets | None = None,
    told: Sequence[Told] = (),
    callers: TokenRechecker | None = None,
    filters: FilterServiceScreen | None = None,
) -> Integration:
    """Put the service on a database; ``models`` are callable, the default first.

    ``owner`` names this server in the ledger, the same after a restart, and unlike
    every other server on the same database. ``policy`` and ``verifier`` are asked while
    users are answered, ``callers`` in place of it where grants are, too, ``asked`` before
    users are let in on a stream. ``conversations`` are what
    they may have pay. ``connections`` are where tools come from, a call of which may take
    ``tool_call_s``, and people's consents to them.
    ``secret`` seals what calls go on with that ask people. ``told`` hear of models' breakers.
    ``filters`` look at what tools return.
    """
    pool = HttpPool(sum(it.places.calls for it in models) + SPARE_CONNECTIONS)
    known = public or PublicModels()
    ledger = ledger or SqlLedger(database)
    catalogue = Catalogue(
        models,
        lambda settings: make_backend(settings, pool, known),
        limits,
        counting=Tokenizers().of,
    )
    switches = Switches(SqlSwitches(database))
    for model in catalogue.all:
        switches.add(model_target(model.name), model.breaker)
    calls = PricedCalls(ledger, owner, budgets.charging if budgets else None)
    generator = Generator(catalogue, Attempts(calls), patience)
    make = connections or (lambda *_: (no_connections(database), None))
    made, authorizations = make(ModelSampling(generator), switches)
    known_tools = ToolCatalogue(made, SqlRuleStore(database), SqlPinStore(database), filters)
    tool_metrics = ToolMetrics()
    results = results or SqlResultStore(database, ToolSettings().kept_bytes)
    caller = ToolCaller(
        known_tools, calls, results, tool_call_s, tool_metrics.observe, secret, lease, filters
    )
    tool_servicer = ToolServicer(known_tools, caller, results, trail)
    forwarding = Forwarding(made, calls)
    access = PolicyRelayAccess(asked or policy, policy, verifier)
    named = homes.named if homes else partial(new_id, "relay")
    relays = Relays(made, calls, access, named, shares or Shares())
    relaying = Relaying(relays, access, homes)
    recheck = AccessRecheck(policy, callers or verifier, GENERATE)
    reports = UsageReports(ledger)
    servicer = IntegrationServicer(
        *(catalogue, generator, reports, recheck, Paying(conversations), switches),
        LostAnswers(calls),
        trail,
        budgets.left if budgets else None,
    )
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
        budgets,
        Breakers(switches, database.shared, told),
        calls,
    )
