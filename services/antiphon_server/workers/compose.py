"""The composition root's slice for workers: every concrete class in its place."""

from collections.abc import Collection
from dataclasses import dataclass

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.audit import AuditServiceTrail
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay
from antiphon_server.workers.adapters.sql_permissions import SqlPermissions
from antiphon_server.workers.adapters.tables import trail_outbox
from antiphon_server.workers.adapters.users import AuthServiceUsers
from antiphon_server.workers.permission_servicer import PermissionCalls
from antiphon_server.workers.permissions import Permissions


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
