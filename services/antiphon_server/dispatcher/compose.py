"""The composition root's slice for the dispatcher: every concrete class in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc

from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.adapters.routed_calls import RoutedCalls
from antiphon_server.dispatcher.adapters.services import (
    ContextConversations,
    ContextWindow,
    IntegrationModels,
)
from antiphon_server.dispatcher.adapters.shared_sql import SharedTurnStore
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.adapters.sql_lanes import SqlLaneOwners
from antiphon_server.dispatcher.adapters.turn_metrics import TurnMetrics
from antiphon_server.dispatcher.adoption import Adoptions
from antiphon_server.dispatcher.calls import CallsHere
from antiphon_server.dispatcher.conversing import Conversings
from antiphon_server.dispatcher.encoding import text_of
from antiphon_server.dispatcher.execution import Execution, Spawn
from antiphon_server.dispatcher.handlers.assistant import Assistant
from antiphon_server.dispatcher.handlers.echo import Echo
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.leases import LEASE_S, Leases
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.dispatcher.servicer import DispatcherServicer
from antiphon_server.dispatcher.turns import Turns
from antiphon_server.runtime.access.gatekeeper import PolicyGatekeeper
from antiphon_server.runtime.access.rules import AccessPolicy, TokenVerifier
from antiphon_server.runtime.nodes import NodeLease
from antiphon_server.runtime.storage.database import Database

VERSIONS = Path(__file__).parent / "adapters" / "migrations" / "versions"


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """The dispatcher: ``leases.run`` is its background task."""

    turns: Turns
    leases: Leases
    adoptions: Adoptions
    servicer: DispatcherServicer
    store: SqlTurnStore
    routed: RoutedCalls | None
    metrics: TurnMetrics

    async def close(self) -> None:
        """Write what waits for it; call it when no turn runs any more."""
        await self.store.close()
        if self.routed is not None:
            await self.routed.close()


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a dispatcher needs to be one of several on a database.

    ``open_channel`` leads to another server's address.
    """

    lease: NodeLease
    lease_s: float
    open_channel: Callable[[str], grpc.aio.Channel]


def compose_dispatcher(
    database: Database,
    internal: grpc.aio.Channel,
    on_behalf: grpc.aio.Channel,
    policy: AccessPolicy,
    verifier: TokenVerifier,
    spawn: Spawn,
    node: str,
    sharing: Sharing | None = None,
    *,
    log_elsewhere: bool = False,
) -> Dispatcher:
    """Put the dispatcher on a database.

    ``internal`` speaks to the other services as the dispatcher itself, ``on_behalf``
    with the credentials that each call brings. ``node`` names this process in leases;
    it must be the same after a restart, and never that of two processes at once. Without
    ``sharing`` it is the only one on the database. ``log_elsewhere``: another process has
    the events service.
    """
    store = SharedTurnStore(database) if sharing else SqlTurnStore(database)
    lease_s = sharing.lease_s if sharing else LEASE_S
    context = ContextServiceStub(internal)
    journal = EventLogJournal(EventServiceStub(internal), elsewhere=log_elsewhere)
    models = IntegrationModels(IntegrationServiceStub(internal))
    handlers = Handlers([Assistant(ContextWindow(context), models), Echo(text_of)])
    metrics = TurnMetrics()
    runner = Runner(store, journal, node, lease_s, observers=[metrics])
    lanes = Lanes()
    limits = TurnLimits()
    execution = Execution(store, journal, handlers, runner, lanes, spawn, limits)
    recovery = Recovery(store, journal, handlers, runner, lanes, execution)
    conversations = ContextConversations(context)
    gatekeeper = PolicyGatekeeper(policy, verifier)
    turns = Turns(
        store,
        journal,
        conversations,
        gatekeeper,
        handlers,
        runner,
        lanes,
        execution,
        recovery,
        limits,
    )
    adoptions = Adoptions(recovery, lanes)
    leases = Leases(store, lanes, adoptions, node, lease_s)
    here = CallsHere(turns)
    routed = _routed(database, here, adoptions, sharing) if sharing else None
    calls = routed or here
    servicer = DispatcherServicer(calls, handlers, Conversings(calls, gatekeeper, on_behalf))
    return Dispatcher(turns, leases, adoptions, servicer, store, routed, metrics)


def _routed(
    database: Database, here: CallsHere, adoptions: Adoptions, sharing: Sharing
) -> RoutedCalls:
    owners = SqlLaneOwners(database, sharing.lease, adoptions.begin, sharing.lease_s)
    return RoutedCalls(here, owners, adoptions, sharing.open_channel)
