"""The composition root's slice for the dispatcher: every concrete class in its place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceStub
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import (
    add_DispatcherServiceServicer_to_server,
)
from antiphon.dispatcher.v1.handoff_service_pb2_grpc import (
    add_HandoffServiceServicer_to_server,
)
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_server.dispatcher.adapters.conversations import ContextConversations
from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.adapters.named_queue import NamedQueue
from antiphon_server.dispatcher.adapters.newest_turns import NewestSqlTurns
from antiphon_server.dispatcher.adapters.openings import ContextOpenings, OpeningsForAbsent
from antiphon_server.dispatcher.adapters.posting import PostedHere
from antiphon_server.dispatcher.adapters.queue_news import ToldQueue
from antiphon_server.dispatcher.adapters.routed_calls import RoutedCalls
from antiphon_server.dispatcher.adapters.routed_handoffs import RoutedHandoffCalls
from antiphon_server.dispatcher.adapters.shared_sql import SharedTurnStore
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.adapters.sql_handoffs import SqlHandoffQueue
from antiphon_server.dispatcher.adapters.sql_lanes import SqlLaneOwners
from antiphon_server.dispatcher.adapters.turn_metrics import TurnMetrics
from antiphon_server.dispatcher.admission import Admission
from antiphon_server.dispatcher.adoption import Adoptions
from antiphon_server.dispatcher.answers import Answers
from antiphon_server.dispatcher.calls import CallsHere
from antiphon_server.dispatcher.choosing import Choosing
from antiphon_server.dispatcher.conversing import Conversings
from antiphon_server.dispatcher.decisions import Decisions
from antiphon_server.dispatcher.encoding import result_of, text_of
from antiphon_server.dispatcher.execution import Execution
from antiphon_server.dispatcher.fronts import Front
from antiphon_server.dispatcher.grants import RunningAttempts
from antiphon_server.dispatcher.handing_off import HandingOff
from antiphon_server.dispatcher.handlers.echo import Echo
from antiphon_server.dispatcher.handlers.people import People
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.handling import Handler, HandlerSettings
from antiphon_server.dispatcher.handoff_calls import HandoffCallsHere
from antiphon_server.dispatcher.handoff_readers import HandoffReaders
from antiphon_server.dispatcher.handoff_servicer import HandoffServicer
from antiphon_server.dispatcher.handoffs import Handoffs
from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.leases import LEASE_S, Leases
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import ConversationId
from antiphon_server.dispatcher.notifying_room import NotifyingSettings
from antiphon_server.dispatcher.outages import patiently
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.dispatcher.rooms import ComposeRooms, Rooms
from antiphon_server.dispatcher.routing_room import TurnSources
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.dispatcher.scheduling_room import TurnDoors
from antiphon_server.dispatcher.servicer import DispatcherServicer
from antiphon_server.dispatcher.turn_states import StoredTurnStates
from antiphon_server.dispatcher.turns import Turns
from antiphon_server.runtime.access.gatekeeper import PolicyGatekeeper
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.concurrency.latest import Latest
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.limits.share_settings import ShareSettings
from antiphon_server.runtime.nodes import NodeLease
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.telemetry.metrics import Gauges

ALONE = "embedded"
"""The name in leases of a server that is alone with its store."""


class ProcessSettings(HandlerSettings, NotifyingSettings, Protocol):
    """What of a process's settings the dispatcher reads."""

    @property
    def lease_s(self) -> float:
        """How long a server's lease on a shared database is."""
        ...


@dataclass(frozen=True, slots=True)
class Dispatcher(Service):
    """The dispatcher. ``tasks`` work on turns, which ``leases`` keep."""

    turns: Turns
    leases: Leases
    adoptions: Adoptions
    execution: Execution
    servicer: DispatcherServicer
    handoffs: HandoffServicer
    store: SqlTurnStore
    routed: RoutedCalls | None
    metrics: TurnMetrics
    activity: Latest[ConversationId]
    tasks: TaskSet
    links: Links
    rooms: Rooms

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        add_DispatcherServiceServicer_to_server(self.servicer, server)
        add_HandoffServiceServicer_to_server(self.handoffs, server)
        self.rooms.register(server)

    def streams(self) -> int:
        """See :meth:`Service.streams`."""
        return self.rooms.workers.streams()

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Adopt what an earlier process left; where services are elsewhere, when they answer."""
        lifecycle.on_stop("turns' store", self.close)
        lifecycle.on_stop("turns' activity", self.activity.close)
        lifecycle.spawn("turns.activity", self.activity.run(), vital=False)
        lifecycle.on_stop("turns", self.tasks.stop)
        lifecycle.on_stop("turns adopted", self.adoptions.close)
        await self.rooms.prepare(lifecycle)
        if self.links.elsewhere:
            lifecycle.spawn("turns.leases", self._take_over())
            lifecycle.spawn("turns.rooms", self._begin_when_trusted(lifecycle), vital=False)
        else:
            await self.leases.adopt_orphans(own=True)
            await self.adoptions.all_settled()
            lifecycle.spawn("turns.leases", self.leases.run())
            await self.rooms.begin(lifecycle)
        await health.set("turns.leases", serving=True)

    async def _take_over(self) -> None:
        """Not before other services answer it: it would fail what another could go on with."""
        await self.links.trusted()
        await patiently(lambda: self.leases.adopt_orphans(own=True))
        await self.leases.run()

    async def _begin_when_trusted(self, lifecycle: Lifecycle) -> None:
        await self.links.trusted()
        await self.rooms.begin(lifecycle)

    async def drain(self, grace_s: float) -> None:
        """See :meth:`Service.drain`."""
        self.rooms.workers.refuse()
        await self.turns.drain(grace_s, self.rooms.workers.drain)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        gauges = Gauges(
            {
                "antiphon_turns_in_hand": (
                    "Turns that this process works on or keeps waiting.",
                    lambda: len(self.tasks),
                ),
                "antiphon_turns_waiting": (
                    "Of them those that wait until one more of their user may run.",
                    lambda: self.execution.waiting,
                ),
            }
        )
        return [self.metrics, gauges, *self.rooms.collectors()]

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


def compose_service(
    handlers: Callable[[HandlerSettings, grpc.aio.Channel], Sequence[Handler]],
    rooms: ComposeRooms,
    settings: ProcessSettings,
    infrastructure: Infrastructure,
    links: Links,
    guards: Guards,
) -> Dispatcher:
    """Put the dispatcher on what its process has.

    The node names this process in leases; it must be the same after a restart, and never that
    of two processes at once. ``handlers`` gives who works on turns beside the one built in, the
    default first, with the way that they have to other services.
    """
    database, lease = infrastructure.database, infrastructure.lease
    sharing = Sharing(lease, settings.lease_s, links.to_server) if lease else None
    node, tasks, internal = infrastructure.node or ALONE, TaskSet(), links.internal
    people = rooms.notifying(settings, infrastructure, links)
    store = (SharedTurnStore if sharing else SqlTurnStore)(database, people)
    lease_s = sharing.lease_s if sharing else LEASE_S
    conversations = ContextConversations(ContextServiceStub(internal), FilterServiceStub(internal))
    activity = Latest(conversations.active)
    journal = EventLogJournal(
        EventServiceStub(internal),
        elsewhere="events" in links.elsewhere,
        on_said=activity.note,
    )
    lanes = Lanes()
    own = [*handlers(settings, internal), Echo(text_of), People()]
    names = [it.info.name for it in own]
    states = StoredTurnStates(lanes, store)
    workers = rooms.workers(infrastructure, links, guards, names, states)
    registry = Handlers(own, workers)
    sources = TurnSources(names[0], registry, conversations, NewestSqlTurns(database))
    routes = rooms.routing(infrastructure, links, sources)
    metrics = TurnMetrics()
    shares = infrastructure.shares
    kept = NamedQueue(
        SqlHandoffQueue(database), ContextServiceStub(internal), AuthServiceStub(internal)
    )
    queue = ToldQueue(kept, EventServiceStub(internal))
    handing = HandingOff(journal, queue, people=people)
    runner = Runner(
        store,
        journal,
        node,
        lease_s,
        shares,
        handing,
        Choosing(result_of),
        observers=[metrics],
        lease=lease,
        masks=rooms.masking(links),
        people=people,
    )
    limits = _limits(shares.settings)
    admission = Admission(store, registry, lanes, limits)
    parts_of_turns = store, journal, registry, runner, lanes
    execution = Execution(*parts_of_turns, tasks.spawn, limits, admission, conversations)
    recovery = Recovery(*parts_of_turns, execution)
    gatekeeper = PolicyGatekeeper(guards.policy, guards.verifier)
    turns = Turns(
        store,
        journal,
        conversations,
        gatekeeper,
        registry,
        runner,
        lanes,
        execution,
        recovery,
        limits,
        admission,
        routes,
    )
    adoptions = Adoptions(recovery, lanes)
    left = lease.left if lease else None
    leases = Leases(store, lanes, adoptions, node, lease_s, left=left)
    decided, front = (store, journal, lanes), Front(conversations)
    here = CallsHere(turns, Decisions(*decided), Answers(*decided), front)
    owners = _owners(database, adoptions, sharing) if sharing else None
    routed = _routed(here, owners, adoptions, sharing, journal) if sharing and owners else None
    calls = routed or here
    of_people = Handoffs(store, journal, lanes, queue, registry, gatekeeper)
    key = infrastructure.secret.derive("how hand-offs end")
    handed = HandoffCallsHere(of_people, front, key)
    handed_calls = RoutedHandoffCalls(handed, routed) if routed else handed
    readers = HandoffReaders(gatekeeper, roles_alone=guards.policy is guards.roles)
    handoffs = HandoffServicer(handed_calls, queue, readers)
    on_behalf = links.on_behalf
    openings = ContextOpenings(ContextServiceStub(on_behalf), gatekeeper, admission)
    absent = OpeningsForAbsent(ContextServiceStub(internal), gatekeeper, admission)
    posting = PostedHere(here, gatekeeper, owners, adoptions, store, absent)
    doors = TurnDoors(posting, calls, openings, conversations)
    schedules = rooms.scheduling(infrastructure, links, doors)
    conversings = Conversings(calls, gatekeeper, openings, on_behalf, shares)
    attempts = RunningAttempts(lanes, store)
    servicer = DispatcherServicer(
        *(calls, registry, conversings, openings, attempts, gatekeeper), store
    )
    beside = Rooms(workers, routes, schedules, people)
    parts = servicer, handoffs, store, routed, metrics, activity, tasks, links, beside
    return Dispatcher(turns, leases, adoptions, execution, *parts)


def _limits(shares: ShareSettings) -> TurnLimits:
    return TurnLimits(running_of_user=shares.running, of_user=shares.turns, weight=shares.weight)


def _owners(database: Database, adoptions: Adoptions, sharing: Sharing) -> SqlLaneOwners:
    return SqlLaneOwners(database, sharing.lease, adoptions.begin, sharing.lease_s)


def _routed(
    here: CallsHere,
    owners: SqlLaneOwners,
    adoptions: Adoptions,
    sharing: Sharing,
    journal: EventLogJournal,
) -> RoutedCalls:
    way = sharing.open_channel
    return RoutedCalls(here, owners, adoptions, way, catch_up=journal.catch_up)
