"""The composition root's slice for the context service: every concrete class in its place."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceStub
from antiphon.context.v1.context_service_pb2_grpc import add_ContextServiceServicer_to_server
from antiphon.context.v1.erasure_service_pb2_grpc import add_ErasureServiceServicer_to_server
from antiphon.context.v1.notice_service_pb2_grpc import add_NoticeServiceServicer_to_server
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceStub
from antiphon.memory.v1.forgetting_service_pb2_grpc import ForgettingServiceStub
from antiphon_server.context.adapters.changes_codec import for_lists, superseding
from antiphon_server.context.adapters.event_log import EventServiceLog
from antiphon_server.context.adapters.role_audit import AuditServiceRoles
from antiphon_server.context.adapters.scopes_elsewhere import ScopesElsewhere
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.users import AuthServiceUsers
from antiphon_server.context.adapters.words import WordsElsewhere
from antiphon_server.context.encoding import encoded_message, speaking_of, texts_of
from antiphon_server.context.erasure_servicer import ErasureServicer
from antiphon_server.context.filtering_room import ComposeFiltering, FilteringRoom
from antiphon_server.context.model.messages import Content
from antiphon_server.context.model.resources import Conversation
from antiphon_server.context.notice_servicer import NoticeServicer
from antiphon_server.context.ports import (
    Clock,
    ErasesWords,
    EventLog,
    RoleAudit,
    ScreensMessages,
    Store,
    Users,
    WatchesMessages,
)
from antiphon_server.context.ports.erasures import ErasesScopes
from antiphon_server.context.service.activity import Activities
from antiphon_server.context.service.changes import RELAY_WAIT_S, Changes
from antiphon_server.context.service.conversations import Conversations
from antiphon_server.context.service.directory import MAX_BYTES, Directory
from antiphon_server.context.service.erasing import Erasing
from antiphon_server.context.service.erasing_scopes import ErasingScopes
from antiphon_server.context.service.erasure_tasks import ErasureTasks
from antiphon_server.context.service.members import Members
from antiphon_server.context.service.messages import Messages
from antiphon_server.context.service.notices import Notices
from antiphon_server.context.service.projection import Projection
from antiphon_server.context.service.reading import Reading
from antiphon_server.context.service.relay import Relay, relay_to_log, relay_to_trail
from antiphon_server.context.service.retention import Retention
from antiphon_server.context.service.role_cache import MAX_CACHED, Roles
from antiphon_server.context.service.speakers import Speakers
from antiphon_server.context.service.tails import Tails
from antiphon_server.context.service.telling import Telling
from antiphon_server.context.service.workspaces import Workspaces
from antiphon_server.context.servicer import ContextServicer
from antiphon_server.context.watching_room import ComposeWatching, WatchingRoom
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.process.optional_part import show_availability
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.telemetry.metrics import Gauges

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
    notices: NoticeServicer
    roles: Roles
    to_log: Relay
    to_trail: Relay
    changes: Changes
    activities: Activities
    retention: Retention
    erasing: Erasing | None
    erasure_tasks: ErasureTasks | None = None
    erasing_scopes: ErasingScopes | None = None
    names: KnownNames | None = None
    filtering: FilteringRoom | None = None
    watching: WatchingRoom | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        add_ContextServiceServicer_to_server(self.servicer, server)
        add_NoticeServiceServicer_to_server(self.notices, server)
        if self.erasure_tasks is not None:
            add_ErasureServiceServicer_to_server(ErasureServicer(self.erasure_tasks), server)
        for room in self._rooms:
            room.register(server)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Tell log and trail what they have not been told, and go on with it."""
        lifecycle.on_stop("context", self.changes.close)
        for room in self._rooms:
            await room.start(lifecycle)
        for name, relay in self._relays.items():
            await relay.start()
            lifecycle.spawn(f"context.to_{name}", relay.run(), vital=False)
            await show_availability(f"outbox.{name}", relay, lifecycle, health)
        if self.erasing is not None:
            lifecycle.on_stop("context.erasing", self.erasing.close)
            lifecycle.spawn("context.erasing", self.erasing.run(), vital=False)
        if self.erasing_scopes is not None:
            running = self.erasing_scopes.run()
            lifecycle.spawn("context.erasing_scopes", running, vital=False)
        lifecycle.on_stop("context.activities", self.activities.close)
        lifecycle.spawn("context.activities", self.activities.run(), vital=False)
        lifecycle.spawn("context.retention", self.retention.run(), vital=False)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        what = "Changes that the {} refused for good, to be tried again each hour."
        set_aside = {
            f"antiphon_outbox_{name}_set_aside": (what.format(name), partial(_set_aside, relay))
            for name, relay in self._relays.items()
        }
        return [Gauges(set_aside), *(it for it in (self.names, self.watching) if it is not None)]

    @property
    def _rooms(self) -> Sequence[FilteringRoom | WatchingRoom]:
        return [it for it in (self.filtering, self.watching) if it is not None]

    @property
    def _relays(self) -> Mapping[str, Relay]:
        return {"log": self.to_log, "trail": self.to_trail}


def _set_aside(relay: Relay) -> int:
    return relay.set_aside


def compose_service(
    filtering: ComposeFiltering | None,
    watching: ComposeWatching | None,
    settings: ProcessSettings,
    infrastructure: Infrastructure,
    links: Links,
    _guards: Guards,
) -> Context:
    """Put the context service on what its process has, behind the rooms of it that there are."""
    kept_s = settings.retention_days * DAY_S if settings.retention_days else None
    room = filtering(infrastructure, links) if filtering is not None else None
    watched = watching(infrastructure, links, room) if watching is not None else None
    context = compose_context(
        infrastructure.database, links.internal, infrastructure.names, kept_s, room, watched
    )
    return replace(context, filtering=room, watching=watched)


def _watching(
    watches: WatchesMessages | None,
) -> Callable[[Principal, Conversation, Content], float] | None:
    """What messages are told to, before they are said."""
    if watches is None:
        return None

    def said(principal: Principal, conversation: Conversation, content: Content) -> float:
        if principal.kind != "user":
            return 0.0
        closely = watches.stand(conversation.workspace_id)
        who = principal.actor, principal.session_id
        return watches.said(speaking_of(*who, conversation, content, closely=closely))

    return said


def compose_context(
    database: Database,
    internal: grpc.aio.Channel,
    names: KnownNames,
    keep_events_s: float | None = None,
    filters: ScreensMessages | None = None,
    watches: WatchesMessages | None = None,
) -> Context:
    """Put the context service on a database.

    ``internal`` speaks to the log, the accounts and the audit trail as this service; ``names``
    are those that the accounts' service has told, and takes back when it changes them;
    ``keep_events_s`` is how long the logs of conversations are kept, None for ever.
    """
    event_log = EventServiceLog(EventServiceStub(internal))
    users = AuthServiceUsers(AuthServiceStub(internal), names)
    audit = AuditServiceRoles(AuditServiceStub(internal))
    stubs = (
        DispatcherServiceStub(internal),
        ToolServiceStub(internal),
        ForgettingServiceStub(internal),
    )
    words = WordsElsewhere(EventServiceStub(internal), *stubs)
    scopes = ScopesElsewhere(
        EventServiceStub(internal), ForgettingServiceStub(internal), ProfileServiceStub(internal)
    )
    store = SqlStore(database)
    shared = database.shared
    made = compose(
        *(store, event_log, time.time, users, audit, keep_events_s),
        shared=shared,
        filters=filters,
        watches=watches,
        words=words,
        scopes=scopes,
    )
    return replace(made, names=names)


def compose(
    store: Store,
    event_log: EventLog,
    clock: Clock,
    users: Users,
    audit: RoleAudit,
    keep_events_s: float | None = None,
    *,
    shared: bool = False,
    relay_wait_s: float = RELAY_WAIT_S,
    filters: ScreensMessages | None = None,
    watches: WatchesMessages | None = None,
    words: ErasesWords | None = None,
    scopes: ErasesScopes | None = None,
) -> Context:
    """Put the context service on any store, log, accounts and audit trail.

    With a ``shared`` store no role and no conversation is remembered: another process may
    have changed it. An answer waits ``relay_wait_s`` for log and trail to be told. Without
    ``words`` elsewhere nothing is erased here.
    """
    roles = Roles(store, 0 if shared else MAX_CACHED)
    to_log = relay_to_log(store, Telling(store, event_log, for_lists).tell, superseding=superseding)
    to_trail = relay_to_trail(store, audit)
    directory = Directory(store, roles, 0 if shared else MAX_BYTES)
    projection = Projection(store, event_log)
    changes = Changes(store, roles, directory, to_log, to_trail, relay_wait_s)
    tails = Tails(event_log, encoded_message, clock)
    activities = Activities(store, directory)
    speakers, noted = Speakers(store, users), activities.noted.note
    erasing = _erasing(store, projection, tails, changes, words, clock)
    tasks = whole = None
    if erasing is not None and scopes is not None:
        tasks = ErasureTasks(store, changes, users, clock)
        whole = ErasingScopes(store, projection, tasks, erasing, scopes, clock, shared=shared)
    servicer = ContextServicer(
        Workspaces(store, changes, clock),
        Conversations(store, directory, changes, clock),
        Members(store, changes, clock, users),
        Messages(
            *(store, directory, event_log, projection, tails, clock, speakers, noted, filters),
            _watching(watches),
        ),
        activities,
        Reading(store, projection),
        roles,
        erasing,
        filters,
        watches,
        tasks.erased if tasks is not None else None,
    )
    retention = Retention(store, event_log, projection, clock, keep_events_s)
    notices = NoticeServicer(Notices(store, changes, clock))
    relays = to_log, to_trail
    made = Context(servicer, notices, roles, *relays, changes, activities, retention, erasing)
    return replace(made, erasure_tasks=tasks, erasing_scopes=whole)


def _erasing(
    store: Store,
    projection: Projection,
    tails: Tails,
    changes: Changes,
    words: ErasesWords | None,
    clock: Clock,
) -> Erasing | None:
    if words is None:
        return None
    return Erasing(store, projection, tails, changes, words, clock, texts_of)
