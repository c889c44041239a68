"""The composition root's slice for the context service: every concrete class in its place."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.context_service_pb2_grpc import add_ContextServiceServicer_to_server
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_server.context.adapters.event_log import EventServiceLog
from antiphon_server.context.adapters.memory_roles import MemoryRoles
from antiphon_server.context.adapters.role_audit import AuditServiceRoles
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.users import AuthServiceUsers
from antiphon_server.context.encoding import encoded_message
from antiphon_server.context.model.changes import OutboxEntry
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports import Clock, EventLog, RoleAudit, Store, Users
from antiphon_server.context.service.changes import RELAY_WAIT_S, Changes
from antiphon_server.context.service.conversations import Conversations
from antiphon_server.context.service.directory import MAX_BYTES, Directory
from antiphon_server.context.service.members import Members
from antiphon_server.context.service.messages import Messages
from antiphon_server.context.service.projection import Projection
from antiphon_server.context.service.relay import Relay, relay_to_log, relay_to_trail
from antiphon_server.context.service.retention import Retention
from antiphon_server.context.service.roles import MAX_CACHED, Roles
from antiphon_server.context.service.tails import Tails
from antiphon_server.context.service.workspaces import Workspaces
from antiphon_server.context.servicer import ContextServicer
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.database import Database

DAY_S = 86_400.0


class ProcessSettings(Protocol):
    """What of a process's settings the service reads."""

    @property
    def retention_days(self) -> int:
        """How long the logs of conversations are kept; 0 for ever."""
        ...


@dataclass(frozen=True, slots=True)
class Context(Service):
    """The context service; ``names`` are what it shows people by."""

    servicer: ContextServicer
    roles: Roles
    to_log: Relay[OutboxEntry]
    to_trail: Relay[RoleChange]
    changes: Changes
    retention: Retention
    names: KnownNames | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        add_ContextServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Tell log and trail what they have not been told, and go on with it."""
        lifecycle.on_stop("context", self.changes.close)
        await self.to_log.relay_outbox()
        lifecycle.spawn("context.to_log", self.to_log.run(), vital=False)
        await self.to_trail.relay_outbox()
        lifecycle.spawn("context.to_trail", self.to_trail.run(), vital=False)
        lifecycle.spawn("context.retention", self.retention.run(), vital=False)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        return [self.names] if self.names is not None else []


def compose_service(
    settings: ProcessSettings, infrastructure: Infrastructure, links: Links, _guards: Guards
) -> Context:
    """Put the context service on what its process has."""
    kept_s = settings.retention_days * DAY_S if settings.retention_days else None
    return compose_context(infrastructure.database, links.internal, infrastructure.names, kept_s)


def compose_context(
    database: Database,
    internal: grpc.aio.Channel,
    names: KnownNames,
    keep_events_s: float | None = None,
) -> Context:
    """Put the context service on a database.

    ``internal`` speaks to the log, the accounts and the audit trail as this service; ``names``
    are those that the accounts' service has told, and takes back when it changes them;
    ``keep_events_s`` is how long the logs of conversations are kept, None for ever.
    """
    event_log = EventServiceLog(EventServiceStub(internal))
    users = AuthServiceUsers(AuthServiceStub(internal), names)
    audit = AuditServiceRoles(AuditServiceStub(internal))
    store = SqlStore(database)
    made = compose(store, event_log, time.time, users, keep_events_s, audit, shared=database.shared)
    return replace(made, names=names)


def compose(
    store: Store,
    event_log: EventLog,
    clock: Clock,
    users: Users,
    keep_events_s: float | None = None,
    audit: RoleAudit | None = None,
    *,
    shared: bool = False,
    relay_wait_s: float = RELAY_WAIT_S,
) -> Context:
    """Put the context service on any store, log and accounts.

    With a ``shared`` store no role and no conversation is remembered: another process may
    have changed it. An answer waits ``relay_wait_s`` for log and trail to be told.
    """
    roles = Roles(store, 0 if shared else MAX_CACHED)
    to_log = relay_to_log(store, event_log)
    to_trail = relay_to_trail(store, audit or MemoryRoles())
    directory = Directory(store, roles, 0 if shared else MAX_BYTES)
    projection = Projection(store, event_log)
    changes = Changes(store, roles, directory, to_log, to_trail, relay_wait_s)
    tails = Tails(event_log, encoded_message)
    servicer = ContextServicer(
        Workspaces(store, changes, clock),
        Conversations(store, directory, changes, clock),
        Members(store, changes, clock, users),
        Messages(store, directory, event_log, projection, tails, clock),
        roles,
    )
    retention = Retention(store, event_log, projection, clock, keep_events_s)
    return Context(servicer, roles, to_log, to_trail, changes, retention)
