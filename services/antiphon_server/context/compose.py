"""The composition root's slice for the context service: every concrete class in its place."""

import time
from dataclasses import dataclass
from pathlib import Path

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_server.context.adapters.event_log import EventServiceLog
from antiphon_server.context.adapters.role_audit import AuditServiceRoles
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.users import AuthServiceUsers
from antiphon_server.context.encoding import encoded_message
from antiphon_server.context.ports import Clock, EventLog, RoleAudit, Store, Users
from antiphon_server.context.service.changes import Changes
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
from antiphon_server.runtime.storage.database import Database

VERSIONS = Path(__file__).parent / "adapters" / "migrations" / "versions"


@dataclass(frozen=True, slots=True)
class Context:
    """The context service: ``run`` of both relays and of ``retention`` are its background tasks.

    Call ``start`` of both once log and trail answer, and ``changes.close`` at the end.
    """

    servicer: ContextServicer
    roles: Roles
    to_log: Relay
    to_trail: Relay
    changes: Changes
    retention: Retention


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
    return compose(store, event_log, time.time, users, audit, keep_events_s, shared=database.shared)


def compose(
    store: Store,
    event_log: EventLog,
    clock: Clock,
    users: Users,
    audit: RoleAudit,
    keep_events_s: float | None = None,
    *,
    shared: bool = False,
) -> Context:
    """Put the context service on any store, log, accounts and audit trail.

    With a ``shared`` store no role and no conversation is remembered: another process may
    have changed it.
    """
    roles = Roles(store, 0 if shared else MAX_CACHED)
    to_log = relay_to_log(store, event_log)
    to_trail = relay_to_trail(store, audit)
    directory = Directory(store, roles, 0 if shared else MAX_BYTES)
    projection = Projection(store, event_log)
    changes = Changes(store, roles, directory, to_log, to_trail)
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
