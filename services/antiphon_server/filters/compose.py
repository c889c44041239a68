"""The composition root's slice for filters: every concrete class in its place."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.context.v1.filter_service_pb2_grpc import add_FilterServiceServicer_to_server
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceStub
from antiphon_server.context.filtering_room import Content, Conversation, Found, Words
from antiphon_server.filters.adapters.event_log import EventServiceLog
from antiphon_server.filters.adapters.remote import ToolServiceRemote
from antiphon_server.filters.adapters.sql_filters import sql_filters
from antiphon_server.filters.adapters.sql_screenings import SqlScreenings
from antiphon_server.filters.adapters.tables import log_outbox, trail_outbox
from antiphon_server.filters.chain import Chain
from antiphon_server.filters.eyes import Eyes
from antiphon_server.filters.kinds import finders
from antiphon_server.filters.model import Filter, Screening
from antiphon_server.filters.said import screened, screened_words
from antiphon_server.filters.screening import Filters, Screener
from antiphon_server.filters.servicer import FilterServicer
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.trail.audit import AuditServiceTrail
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class ComposedFiltering:
    """See :class:`~antiphon_server.context.filtering_room.FilteringRoom`.

    ``shared`` says whether other servers change filters, too.
    """

    filters: Filters
    screener: Screener
    servicer: FilterServicer
    screenings: SqlScreenings
    trail: TrailRelay
    log: TrailRelay
    eyes: Eyes
    shared: bool

    def stand(self, workspace_id: str) -> bool:
        """See :meth:`ScreensMessages.stand`."""
        return self.filters.stand(workspace_id)

    async def screened(
        self,
        conversation: Conversation,
        author: str,
        content: Content,
        said_before: Callable[[], Awaitable[bool]],
    ) -> Content:
        """See :meth:`ScreensMessages.screened`."""
        return await screened(self.screener, conversation, author, content, said_before)

    async def screened_words(self, workspace_id: str, author: str, words: Words) -> Sequence[str]:
        """See :meth:`ScreensMessages.screened_words`."""
        return await screened_words(self.screener, workspace_id, author, words)

    async def found_since(self, since_us: int, most: int) -> Sequence[Found]:
        """See :meth:`TellsFound.found_since`."""
        return list(map(_found, await self.screenings.since(since_us, most)))

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`FilteringRoom.register`."""
        add_FilterServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle) -> None:
        """See :meth:`FilteringRoom.start`."""
        lifecycle.on_stop("filters", self._close)
        await self.filters.refresh()
        for name, relay in {"trail": self.trail, "log": self.log}.items():
            lifecycle.on_stop(f"filters' {name}", relay.close)
            lifecycle.spawn(f"filters.{name}", relay.run(), vital=False)
        forget = every(HOUR_S, self._forget, at_once=False)
        lifecycle.spawn("filters.forget", forget, vital=False)
        if self.shared:
            lifecycle.spawn("filters.changes", self.filters.run(), vital=False)

    async def _close(self) -> None:
        await self.filters.close()
        self.eyes.close()

    async def _forget(self) -> None:
        await self.screenings.forget(time.time_ns() // 1000)


def _found(it: Screening) -> Found:
    origin = it.origin
    where = origin.workspace_id, origin.conversation_id
    return Found(it.screening_id, it.created_us, origin.author, *where, it.refused)


def compose_filtering(infrastructure: Infrastructure, links: Links) -> ComposedFiltering:
    """Put filters on what context has."""
    database = infrastructure.database
    remote = ToolServiceRemote(ToolServiceStub(links.internal))
    eyes = Eyes(finders, remote)

    def chain(parent: str, revision: int, them: Sequence[Filter]) -> Chain:
        return Chain(parent, revision, them, eyes)

    filters = Filters("filters", sql_filters(database), chain)
    told = EventServiceLog(EventServiceStub(links.internal))
    log = TrailRelay(SqlOutbox(database, log_outbox), told, name="the log")
    screenings = SqlScreenings(database, log)
    screener = Screener(filters, screenings)
    audit = AuditServiceTrail(AuditServiceStub(links.internal))
    trail = TrailRelay(SqlOutbox(database, trail_outbox), audit)
    servicer = FilterServicer(filters, screener, screenings, trail, remote)
    shared = database.shared
    return ComposedFiltering(filters, screener, servicer, screenings, trail, log, eyes, shared)
