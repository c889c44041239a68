"""What memory is made of: each part has its RPCs, and what it does in the background."""

from dataclasses import dataclass
from typing import Protocol

import grpc

from antiphon.memory.v1.assembly_service_pb2_grpc import add_AssemblyServiceServicer_to_server
from antiphon.memory.v1.entity_service_pb2_grpc import add_EntityServiceServicer_to_server
from antiphon.memory.v1.forgetting_service_pb2_grpc import (
    add_ForgettingServiceServicer_to_server,
)
from antiphon.memory.v1.memory_service_pb2_grpc import add_MemoryServiceServicer_to_server
from antiphon.memory.v1.pruning_service_pb2_grpc import add_PruningServiceServicer_to_server
from antiphon.memory.v1.search_service_pb2_grpc import add_SearchServiceServicer_to_server
from antiphon.memory.v1.summary_service_pb2_grpc import add_SummaryServiceServicer_to_server
from antiphon.memory.v1.whiteboard_service_pb2_grpc import (
    add_WhiteboardServiceServicer_to_server,
)
from antiphon_server.memory.adapters.assemblies import SqlAssemblies
from antiphon_server.memory.assembly.assembling import Assembling
from antiphon_server.memory.external.asking import Asking
from antiphon_server.memory.external.overseeing import Overseeing
from antiphon_server.memory.external.telling import Telling
from antiphon_server.memory.memories.expiring import Expiring
from antiphon_server.memory.memories.forgetting import Forgetting
from antiphon_server.memory.memories.gathering import Gathering
from antiphon_server.memory.pruning.pruning import Pruning
from antiphon_server.memory.search.library import Library
from antiphon_server.memory.search.meanings import Meanings
from antiphon_server.memory.search.shelf import Shelf
from antiphon_server.memory.servicers.assembly import AssemblyServicer
from antiphon_server.memory.servicers.entities import EntityServicer
from antiphon_server.memory.servicers.forgetting import ForgettingServicer
from antiphon_server.memory.servicers.memory import MemoryServicer
from antiphon_server.memory.servicers.pruning import PruningServicer
from antiphon_server.memory.servicers.search import SearchServicer
from antiphon_server.memory.servicers.summary import SummaryServicer
from antiphon_server.memory.servicers.whiteboard import WhiteboardServicer
from antiphon_server.memory.summaries.reading import Reading
from antiphon_server.memory.summaries.summarising import Summarising
from antiphon_server.memory.whiteboard.whiteboards import Whiteboards
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.trail.relay import TrailRelay

FORGET_S = 3600.0
WRITE_S = 0.5
PRUNE_S = 600.0
FORGET_WHITEBOARDS_S = 600.0
REPORT_S = 1.0


class Part(Protocol):
    """A part of the service."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add its servicer to a server."""
        ...

    def start(self, lifecycle: Lifecycle) -> None:
        """Begin what it does in the background, which the lifecycle ends."""
        ...


@dataclass(frozen=True, slots=True)
class Search:
    """What was said and is known, found."""

    servicer: SearchServicer
    library: Library
    shelf: Shelf
    meanings: Meanings

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Part.register`."""
        add_SearchServiceServicer_to_server(self.servicer, server)

    def start(self, lifecycle: Lifecycle) -> None:
        """Read what searches ask for, and make vectors of it."""
        lifecycle.spawn("memory.library", self.library.run(), vital=False)
        lifecycle.spawn("memory.meanings", self.meanings.run(), vital=False)
        lifecycle.on_stop("memory.shelf", self.shelf.stop)


@dataclass(frozen=True, slots=True)
class Assembly:
    """What models are shown, and were."""

    servicer: AssemblyServicer
    assembling: Assembling
    assemblies: SqlAssemblies

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Part.register`."""
        add_AssemblyServiceServicer_to_server(self.servicer, server)

    def start(self, lifecycle: Lifecycle) -> None:
        """Write what turns were shown, and let go of what is old."""
        lifecycle.on_stop("memory.assemblies", self.assemblies.write)
        writing = every(WRITE_S, self.assemblies.write)
        lifecycle.spawn("memory.assemblies", writing, vital=False)
        forgetting = every(FORGET_S, self.assembling.forget_old, at_once=False)
        lifecycle.spawn("memory.forgetting", forgetting, vital=False)


@dataclass(frozen=True, slots=True)
class Memories:
    """What people, workspaces and conversations are known by."""

    servicer: MemoryServicer
    expiring: Expiring
    trail: TrailRelay
    gathering: Gathering | None

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Part.register`."""
        add_MemoryServiceServicer_to_server(self.servicer, server)

    def start(self, lifecycle: Lifecycle) -> None:
        """Tell the audit trail what was forgotten, forget what has expired, and gather facts."""
        lifecycle.on_stop("memories' trail", self.trail.close)
        lifecycle.spawn("memory.trail", self.trail.run(), vital=False)
        lifecycle.spawn("memory.expiring", self.expiring.run(), vital=False)
        if self.gathering is not None:
            lifecycle.spawn("memory.gathering", self.gathering.run(), vital=False)


@dataclass(frozen=True, slots=True)
class Prunings:
    """Memories that nobody needs, put away."""

    servicer: PruningServicer
    pruning: Pruning

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Part.register`."""
        add_PruningServiceServicer_to_server(self.servicer, server)

    def start(self, lifecycle: Lifecycle) -> None:
        """Prune the scopes whose day has come."""
        pruning = every(PRUNE_S, self.pruning.prune_due, at_once=False)
        lifecycle.spawn("memory.pruning", pruning, vital=False)


@dataclass(frozen=True, slots=True)
class Notes:
    """The whiteboards of conversations; ``log`` tells of them."""

    whiteboards: Whiteboards
    log: TrailRelay

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Part.register`."""
        add_WhiteboardServiceServicer_to_server(WhiteboardServicer(self.whiteboards), server)

    def start(self, lifecycle: Lifecycle) -> None:
        """Tell what an earlier process has left, and forget what expires."""
        lifecycle.on_stop("whiteboards' log", self.log.close)
        lifecycle.spawn("memory.whiteboards_log", self.log.run(), vital=False)
        forget = every(FORGET_WHITEBOARDS_S, self.whiteboards.forget, at_once=False)
        lifecycle.spawn("memory.whiteboards_forget", forget, vital=False)


@dataclass(frozen=True, slots=True)
class Summaries:
    """What long conversations come to."""

    reading: Reading
    summarising: Summarising

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Part.register`."""
        add_SummaryServiceServicer_to_server(SummaryServicer(self.reading), server)

    def start(self, lifecycle: Lifecycle) -> None:
        """Summarise what turns lacked the room for."""
        lifecycle.spawn("memory.summarising", self.summarising.run(), vital=False)


@dataclass(frozen=True, slots=True)
class Called:
    """What is called how; what is found of it in the background is gathered with the facts."""

    servicer: EntityServicer

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Part.register`."""
        add_EntityServiceServicer_to_server(self.servicer, server)

    def start(self, lifecycle: Lifecycle) -> None:
        """Nothing of its own."""


@dataclass(frozen=True, slots=True)
class External:
    """A memory of others, told and asked beside the server's own."""

    asking: Asking
    telling: Telling
    overseeing: Overseeing

    def begin(self, lifecycle: Lifecycle, health: Health) -> None:
        """Tell it what is new, and the server's health how it is: the server serves without it."""

        async def report() -> None:
            await health.set("memory.external", self.overseeing.serves, needed=False)

        lifecycle.spawn("memory.external", self.telling.run(), vital=False)
        lifecycle.spawn("memory.external_health", every(REPORT_S, report), vital=False)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was made of what is erased, taken away."""

    servicer: ForgettingServicer
    forgetting: Forgetting

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Part.register`."""
        add_ForgettingServiceServicer_to_server(self.servicer, server)

    def start(self, lifecycle: Lifecycle) -> None:
        """Let go of what need not be refused any more."""
        forgetting = every(FORGET_S, self.forgetting.forget_old, at_once=False)
        lifecycle.spawn("memory.erased_sources", forgetting, vital=False)
