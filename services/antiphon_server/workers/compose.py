"""The composition root's slice for workers: every concrete class in its place."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.dispatcher.v1.worker_service_pb2_grpc import (
    WorkerServiceStub,
    add_WorkerServiceServicer_to_server,
)
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceStub
from antiphon_server.agents.adapters.tools import IntegrationTools
from antiphon_server.dispatcher.grants import Grants
from antiphon_server.dispatcher.handling import Handler, HandlerInfo
from antiphon_server.dispatcher.worker_room import TurnStates
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.channels.server_ways import ServerWays
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.nodes.homes import Homes
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.telemetry.tracing import Tracing
from antiphon_server.runtime.trail.audit import AuditServiceTrail
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay
from antiphon_server.workers.adapters.access import PolicyWorkerAccess
from antiphon_server.workers.adapters.budgets import IntegrationBudgets
from antiphon_server.workers.adapters.sql_permissions import SqlPermissions
from antiphon_server.workers.adapters.sql_versions import SqlVersions
from antiphon_server.workers.adapters.tables import trail_outbox
from antiphon_server.workers.adapters.turn_tools import ConversationTools
from antiphon_server.workers.adapters.users import AuthServiceUsers
from antiphon_server.workers.adapters.worker_metrics import worker_gauges
from antiphon_server.workers.asking import Asking
from antiphon_server.workers.borrowing import Borrowing
from antiphon_server.workers.care import Care
from antiphon_server.workers.delegation import Delegation
from antiphon_server.workers.deployment_servicer import DeploymentCalls
from antiphon_server.workers.deployments import Deployments
from antiphon_server.workers.encoding import PartContents
from antiphon_server.workers.following import Following
from antiphon_server.workers.hearing import Hearing
from antiphon_server.workers.lending import Lending
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.listing import Listing
from antiphon_server.workers.permission_servicer import PermissionCalls
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.servicer import WorkerServicer
from antiphon_server.workers.serving import Serving
from antiphon_server.workers.twin import Twin
from antiphon_server.workers.versions import Versions
from antiphon_server.workers.working import Working


@dataclass(frozen=True, slots=True)
class ComposedPermissions:
    """Who may serve what; ``shared`` says whether other servers change it, too."""

    permissions: Permissions
    calls: PermissionCalls
    trail: TrailRelay
    shared: bool

    async def start(self, lifecycle: Lifecycle) -> None:
        """Read them, look for what others change, and tell the trail what it does not know."""
        lifecycle.on_stop("workers' trail", self.trail.close)
        lifecycle.on_stop("workers' permissions", self.permissions.close)
        await self.permissions.refresh()
        lifecycle.spawn("workers.trail", self.trail.run(), vital=False)
        if self.shared:
            lifecycle.spawn("workers.permissions", self.permissions.run(), vital=False)


def compose_permissions(
    database: Database, links: Links, built_in: Collection[str]
) -> ComposedPermissions:
    """Permissions on a database; ``built_in`` are the handlers of servers themselves."""
    users = AuthServiceUsers(AuthServiceStub(links.internal))
    permissions = Permissions(SqlPermissions(database), users, built_in)
    audit = AuditServiceTrail(AuditServiceStub(links.internal))
    trail = TrailRelay(SqlOutbox(database, trail_outbox), audit)
    calls = PermissionCalls(permissions, trail)
    return ComposedPermissions(permissions, calls, trail, database.shared)


@dataclass(frozen=True, slots=True)
class ComposedWorkers:
    """See :class:`~antiphon_server.dispatcher.worker_room.WorkerRoom`."""

    permissions: ComposedPermissions
    pool: Pool
    serving: Serving
    working: Working
    twin: Twin
    care: Care
    versions: SqlVersions
    deployments: Deployments
    borrowing: Borrowing | None
    servicer: WorkerServicer

    def named(self, name: str) -> Handler:
        """See :meth:`Workers.named`."""
        return self.serving.named(name)

    async def knows(self, workspace_id: str, name: str) -> bool:
        """See :meth:`Workers.knows`."""
        return await self.serving.knows(workspace_id, name)

    async def infos(self, workspace_id: str) -> Sequence[HandlerInfo]:
        """See :meth:`Workers.infos`."""
        return await self.serving.infos(workspace_id)

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`WorkerRoom.register`."""
        add_WorkerServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle) -> None:
        """See :meth:`WorkerRoom.start`."""
        lifecycle.on_stop("turns' versions stored", self.versions.close)
        lifecycle.on_stop("turns' versions", self.deployments.close)
        lifecycle.on_stop("workers", self.working.close)
        lifecycle.on_stop("workers' calls", self.twin.close)
        await self.permissions.start(lifecycle)
        await self.deployments.refresh()
        if self.permissions.shared:
            lifecycle.spawn("workers.rollouts", self.deployments.look_for_changes(), vital=False)
        lifecycle.spawn("workers.versions", self.deployments.note(), vital=False)
        lifecycle.spawn("workers.care", self.care.run())
        if self.borrowing is not None:
            lifecycle.on_stop("workers lent", self.borrowing.close)
            lifecycle.spawn("workers.borrowing", self.borrowing.run())

    def refuse(self) -> None:
        """See :meth:`WorkerRoom.refuse`."""
        self.pool.refuse()

    def drain(self) -> None:
        """See :meth:`WorkerRoom.drain`."""
        self.pool.drain()

    def streams(self) -> int:
        """See :meth:`WorkerRoom.streams`."""
        return len(self.pool.sessions)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`WorkerRoom.collectors`."""
        return [worker_gauges(self.pool)]


def compose_workers(
    infrastructure: Infrastructure,
    links: Links,
    guards: Guards,
    built_in: Collection[str],
    turns: TurnStates,
    limits: WorkerLimits = WorkerLimits(),  # noqa: B008 - frozen
) -> ComposedWorkers:
    """Put workers on what the dispatcher has; ``built_in`` are handlers that none may serve."""
    composed = compose_permissions(infrastructure.database, links, built_in)
    lease = infrastructure.lease
    if lease is not None:  # a server that stands still has its turns until that has run out
        limits = replace(limits, unclaimed_s=lease.length_us / 1e6 + limits.back_s)
    permissions = composed.permissions
    tools = IntegrationTools(ToolServiceStub(links.internal))
    contents = PartContents()
    asking = Asking(ConversationTools(ContextServiceStub(links.internal), tools), contents)
    versions, store = Versions(), SqlVersions(infrastructure.database)
    pool = Pool(limits, versions)
    deployments = Deployments(store, versions, pool)
    grants = Grants(GrantTokens(infrastructure.secret))
    following = Following(asking, Delegation(contents), contents)
    tracing = infrastructure.tracing
    traceparent = partial(_traceparent, tracing) if tracing else str
    rules = (pool, permissions, grants, following)
    budgets = IntegrationBudgets(IntegrationServiceStub(links.internal))
    serving = Serving(*rules, deployments, budgets, limits, traceparent)
    access = PolicyWorkerAccess(guards.policy, guards.roles, guards.verifier)
    watched = (pool, serving.assignments, permissions, access)
    hearing = Hearing(pool, access)
    heard = (pool, serving.assignments, permissions, hearing)
    working = Working(*heard, turns, deployments, limits)
    care = Care(*watched, limits)
    borrowing, homes = None, None
    if lease is not None:
        elsewhere = infrastructure.database, lease, ServerWays(links.to_server)
        homes = Homes("work", WorkerServiceStub, *elsewhere)
        ways = ServerWays(links.to_peer)
        borrowing = Borrowing(pool, serving.assignments, lease.others, ways, limits)
    twin = Twin(working, hearing, homes)
    listing = Listing(pool, borrowing.others if borrowing else tuple)
    calls = composed.calls, DeploymentCalls(deployments, composed.trail)
    servicer = WorkerServicer(working, twin, Lending(pool, limits), listing, *calls)
    parts = (twin, care, store, deployments, borrowing, servicer)
    return ComposedWorkers(composed, pool, serving, working, *parts)


def _traceparent(tracing: Tracing) -> str:
    """The trace that this task belongs to (W3C Trace Context)."""
    return dict(tracing.headers()).get("traceparent", "")
