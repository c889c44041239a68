"""Keeps notes, says how many there are, and how far the caller's log is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from antiphon.events.v1.event_service_pb2 import GetHeadRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.telemetry.metrics import Gauges
from tests.apart.notes.contract import SERVICE, Request, Response

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

metadata = MetaData()
notes = Table(
    "notes_notes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("text", String(128), nullable=False),
)


@dataclass(slots=True)
class Notes(Service):
    """The service; ``added`` counts since its start."""

    database: Database
    log: "EventServiceAsyncStub"
    added: int = 0

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        handler = grpc.unary_unary_rpc_method_handler(
            self.add, Request.FromString, Response.SerializeToString
        )
        server.add_registered_method_handlers(SERVICE, {"AddNote": handler})

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """See :meth:`Service.start`."""
        await health.set("notes", serving=True)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        return [Gauges({"notes_added": ("Notes since the start.", lambda: self.added)})]

    async def add(self, request: Any, _context: Any) -> Any:
        """AddNote."""
        adding = insert(notes).values(text=request.text)
        await self.database.write(lambda connection: connection.execute(adding) and None)
        counting = select(func.count()).select_from(notes)
        count = await self.database.read(lambda connection: connection.scalar(counting))
        self.added += 1
        scope = f"users/{current_principal().user_id}"
        head = await self.log.GetHead(GetHeadRequest(scope=scope), timeout=5)
        return Response(notes=count, last_offset=head.last_offset)


def compose_service(
    _settings: object, infrastructure: Infrastructure, links: Links, _guards: Guards
) -> Notes:
    """Put the service on what its process has."""
    return Notes(infrastructure.database, EventServiceStub(links.internal))
