"""The composition root's slice for memory: every concrete class in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.memory.v1.assembly_service_pb2_grpc import add_AssemblyServiceServicer_to_server
from antiphon.memory.v1.search_service_pb2_grpc import add_SearchServiceServicer_to_server
from antiphon_server.memory.adapters.assemblies import SqlAssemblies
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.logs import EventServiceLogs
from antiphon_server.memory.adapters.names import AuthServiceNames
from antiphon_server.memory.service.assembling import Assembling
from antiphon_server.memory.service.library import Library
from antiphon_server.memory.service.older_messages import OlderMessages
from antiphon_server.memory.service.searching import Searching
from antiphon_server.memory.servicers.assembly import AssemblyServicer
from antiphon_server.memory.servicers.search import SearchServicer
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.telemetry.metrics import Gauges

FORGET_S = 3600.0
WRITE_S = 0.5


@dataclass(frozen=True, slots=True)
class Memory(Service):
    """The memory service."""

    search: SearchServicer
    assembly: AssemblyServicer
    library: Library
    assembling: Assembling
    assemblies: SqlAssemblies

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        add_SearchServiceServicer_to_server(self.search, server)
        add_AssemblyServiceServicer_to_server(self.assembly, server)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Read what searches ask for."""
        lifecycle.on_stop("memory.assemblies", self.assemblies.write)
        writing = every(WRITE_S, self.assemblies.write)
        lifecycle.spawn("memory.assemblies", writing, vital=False)
        forgetting = every(FORGET_S, self.assembling.forget_old, at_once=False)
        lifecycle.spawn("memory.forgetting", forgetting, vital=False)
        lifecycle.spawn("memory.library", self.library.run(), vital=False)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        library = self.library
        return [
            Gauges(
                {
                    "antiphon_search_conversations": (
                        "Conversations that can be searched without being read first.",
                        lambda: library.conversations,
                    ),
                    "antiphon_search_waiting": (
                        "Conversations that are still to be read for a search.",
                        lambda: library.waiting,
                    ),
                    "antiphon_search_index_bytes": (
                        "What the index of search holds in memory, about.",
                        lambda: library.size_bytes,
                    ),
                }
            )
        ]


def compose_service(
    _settings: object, infrastructure: Infrastructure, links: Links, _guards: Guards
) -> Memory:
    """Put the memory service on what its process has."""
    internal = links.internal
    conversations = ContextConversations(ContextServiceStub(internal))
    names = AuthServiceNames(AuthServiceStub(internal), infrastructure.names)
    library = Library(conversations, EventServiceLogs(EventServiceStub(internal)), names)
    searching = Searching(conversations, names, library)
    assemblies = SqlAssemblies(infrastructure.database)
    assembling = Assembling(conversations, names, OlderMessages(conversations, library), assemblies)
    return Memory(
        SearchServicer(searching), AssemblyServicer(assembling), library, assembling, assemblies
    )
