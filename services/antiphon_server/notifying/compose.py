"""The composition root's slice for notifications: every concrete class in its place."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from sqlalchemy import Connection

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.dispatcher.v1.webhook_service_pb2_grpc import add_WebhookServiceServicer_to_server
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceStub
from antiphon_server.dispatcher.notifying_room import (
    Handoff,
    NotifyingSettings,
    PastHandoff,
    Turn,
)
from antiphon_server.notifying.adapters.asked_rights import AskedRights
from antiphon_server.notifying.adapters.http_posts import HttpPosts
from antiphon_server.notifying.adapters.metrics import DeliveryMetrics
from antiphon_server.notifying.adapters.notes import (
    note_of_handoff,
    note_of_handoff_end,
    note_of_wait,
)
from antiphon_server.notifying.adapters.rows import Sealing
from antiphon_server.notifying.adapters.sql_deliveries import SqlDeliveries
from antiphon_server.notifying.adapters.sql_notes import SqlNotes
from antiphon_server.notifying.adapters.sql_webhooks import SqlWebhooks
from antiphon_server.notifying.adapters.tables import trail_outbox
from antiphon_server.notifying.adapters.user_logs import UserLogs
from antiphon_server.notifying.adapters.workspace_hosts import WorkspaceHosts
from antiphon_server.notifying.delivering import Delivering
from antiphon_server.notifying.model import Note
from antiphon_server.notifying.places import AT_ONCE
from antiphon_server.notifying.servicer import WebhookServicer
from antiphon_server.notifying.telling import Telling
from antiphon_server.notifying.webhooks import TESTS_AT_ONCE, Webhooks
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.http_pool import HttpPool
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.telemetry.structured import structlog
from antiphon_server.runtime.trail.audit import AuditServiceTrail
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ComposedNotifying:
    """See :class:`~antiphon_server.dispatcher.notifying_room.NotifyingRoom`.

    ``shared`` says whether other servers post, too.
    """

    servicer: WebhookServicer
    notes: SqlNotes
    telling: Telling
    delivering: Delivering
    trail: TrailRelay
    pool: HttpPool
    shared: bool

    def keep(self, connection: Connection, ended: Sequence[Turn]) -> Callable[[], None]:
        """See :meth:`NotesEnds.keep`."""
        return partial(self.telling.take, self.notes.keep(connection, ended))

    async def waits(self, turn: Turn, call_id: str, question_id: str = "") -> None:
        """See :meth:`HearsOfWaits.waits`."""
        await self._tell(note_of_wait(turn, call_id, question_id, _now_us()))

    async def handed_off(self, turn: Turn, handoff: Handoff) -> None:
        """See :meth:`HearsOfWaits.handed_off`."""
        await self._tell(note_of_handoff(turn, handoff, _now_us()))

    async def handoff_ended(self, turn: Turn, past: PastHandoff) -> None:
        """See :meth:`HearsOfWaits.handoff_ended`."""
        await self._tell(note_of_handoff_end(turn, past, _now_us()))

    async def _tell(self, note: Note) -> None:
        try:
            await self.notes.add(note)
        except DomainError as error:  # the turn goes on all the same
            log.warning("nobody is told", id=note.notification_id, why=error.reason)
        else:
            self.telling.take([note])

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`NotifyingRoom.register`."""
        add_WebhookServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle) -> None:
        """See :meth:`NotifyingRoom.start`."""
        lifecycle.on_stop("webhooks' connections", self.pool.close)
        lifecycle.on_stop("webhooks' trail", self.trail.close)
        lifecycle.on_stop("deliveries", self.delivering.close)
        for name, work in (
            ("webhooks.trail", self.trail.run),
            ("notifications", self.telling.run),
            ("notifications.left", self.telling.run_left),
            ("deliveries", partial(self.delivering.run, alone=not self.shared)),
            ("deliveries.old", self.delivering.run_tidying),
            ("deliveries.waiting", self.delivering.run_counting),
        ):
            lifecycle.spawn(name, work(), vital=False)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`NotifyingRoom.collectors`."""
        return [DeliveryMetrics(self.delivering)]


def _now_us() -> int:
    return time.time_ns() // 1000


def compose_notifying(
    settings: NotifyingSettings, infrastructure: Infrastructure, links: Links
) -> ComposedNotifying:
    """Put notifications on what the dispatcher's process has."""
    database, policy = infrastructure.database, settings.egress()
    sealing = Sealing(infrastructure.secret)
    pool = HttpPool(AT_ONCE + TESTS_AT_ONCE, Dialler(policy))
    hosts = WorkspaceHosts(ConnectionServiceStub(links.internal))
    posts = HttpPosts(pool, policy, hosts)
    deliveries = SqlDeliveries(database, sealing)
    rights = AskedRights(AuthServiceStub(links.internal), ContextServiceStub(links.internal))
    delivering = Delivering(deliveries, posts, rights)
    notes = SqlNotes(database, sealing, posts.host)
    telling = Telling(notes, UserLogs(EventServiceStub(links.internal), rights), delivering.wake)
    webhooks = Webhooks(SqlWebhooks(database, sealing), deliveries, posts)
    audit = AuditServiceTrail(AuditServiceStub(links.internal))
    trail = TrailRelay(SqlOutbox(database, trail_outbox), audit)
    servicer = WebhookServicer(webhooks, trail)
    return ComposedNotifying(servicer, notes, telling, delivering, trail, pool, database.shared)
