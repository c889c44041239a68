"""The composition root's slice for memory: every concrete class in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceStub
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceStub
from antiphon_server.memory.adapters.asked_model import IntegrationModel
from antiphon_server.memory.adapters.assemblies import SqlAssemblies
from antiphon_server.memory.adapters.audiences import ContextAudiences
from antiphon_server.memory.adapters.consulting import Consulting
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.external_contract import ContractMemory
from antiphon_server.memory.adapters.external_mem0 import Mem0Memory
from antiphon_server.memory.adapters.external_metrics import ExternalMetrics
from antiphon_server.memory.adapters.logs import EventServiceLogs
from antiphon_server.memory.adapters.names import AuthServiceNames
from antiphon_server.memory.adapters.rights import PolicyRights
from antiphon_server.memory.adapters.sql_entities import SqlEntities
from antiphon_server.memory.adapters.sql_external import SqlExternalProgress
from antiphon_server.memory.adapters.sql_extractions import SqlExtractions
from antiphon_server.memory.adapters.sql_files import SqlFiles
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.sql_pruning import SqlPruning
from antiphon_server.memory.adapters.sql_sources import SqlSources
from antiphon_server.memory.adapters.sql_summaries import SqlSummaries
from antiphon_server.memory.adapters.sql_vectors import SqlVectors
from antiphon_server.memory.adapters.sql_whiteboards import SqlWhiteboards
from antiphon_server.memory.adapters.tables import trail_outbox, whiteboard_outbox
from antiphon_server.memory.adapters.whiteboard_log import EventServiceLog
from antiphon_server.memory.adapters.whiteboard_places import ContextPlaces
from antiphon_server.memory.assembly.assembling import Assembling
from antiphon_server.memory.assembly.contributing import Contributor
from antiphon_server.memory.assembly.contributions import Contributions
from antiphon_server.memory.assembly.memories import RelevantMemories
from antiphon_server.memory.assembly.older_messages import OlderMessages
from antiphon_server.memory.assembly.what_came_before import WhatCameBefore
from antiphon_server.memory.assembly.whiteboard_sections import WhiteboardSections
from antiphon_server.memory.assembly.who_asks import WhoAsks
from antiphon_server.memory.entities.expanding import Expanding
from antiphon_server.memory.entities.naming import Naming
from antiphon_server.memory.external.asking import Asking
from antiphon_server.memory.external.overseeing import Overseeing
from antiphon_server.memory.external.ports import ExternalMemory
from antiphon_server.memory.external.settings import ExternalMemorySettings
from antiphon_server.memory.external.telling import Telling
from antiphon_server.memory.index.model_files import MINILM
from antiphon_server.memory.memories.acquaintances import Acquaintances
from antiphon_server.memory.memories.expiring import Expiring
from antiphon_server.memory.memories.finding import Finder, ModelFinder, RuleFinder
from antiphon_server.memory.memories.forgetting import Forgetting
from antiphon_server.memory.memories.gathering import Gathering
from antiphon_server.memory.memories.remembering import Remembering
from antiphon_server.memory.memories.sources import Sources
from antiphon_server.memory.parts import (
    Assembly,
    Called,
    Erased,
    External,
    Memories,
    Notes,
    Part,
    Prunings,
    Search,
    Summaries,
)
from antiphon_server.memory.ports import Names
from antiphon_server.memory.pruning.pruning import Pruning
from antiphon_server.memory.search.external_hits import ExternalHits
from antiphon_server.memory.search.indexing import Indexing
from antiphon_server.memory.search.library import Library
from antiphon_server.memory.search.meanings import Meanings
from antiphon_server.memory.search.minilm import load_minilm
from antiphon_server.memory.search.recalling import Recalling
from antiphon_server.memory.search.searching import Searching
from antiphon_server.memory.search.shelf import Shelf
from antiphon_server.memory.servicers.assembly import AssemblyServicer
from antiphon_server.memory.servicers.entities import EntityServicer
from antiphon_server.memory.servicers.forgetting import ForgettingServicer
from antiphon_server.memory.servicers.memory import MemoryServicer
from antiphon_server.memory.servicers.pruning import PruningServicer
from antiphon_server.memory.servicers.search import SearchServicer
from antiphon_server.memory.summaries.making import Making
from antiphon_server.memory.summaries.reading import Reading
from antiphon_server.memory.summaries.summarising import Summarising
from antiphon_server.memory.summaries.writing import Writing
from antiphon_server.memory.whiteboard.whiteboards import Whiteboards
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.profiles.reading import AuthServiceProfiles
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.telemetry.metrics import Gauges
from antiphon_server.runtime.trail.audit import AuditServiceTrail
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay


class ProcessSettings(Protocol):
    """What of a process's settings the service reads."""

    @property
    def remember_by_rules(self) -> bool:
        """Whether facts are gathered from what people say, without being asked."""
        ...

    @property
    def remember_by_model(self) -> str:
        """The model that gathers them in the rules' place; "" if none does."""
        ...

    @property
    def summary_model(self) -> str:
        """The model that writes summaries; empty for none."""
        ...

    @property
    def external_memory(self) -> ExternalMemorySettings | None:
        """The memory of others that is asked besides, if there is one."""
        ...

    @property
    def search_by_meaning(self) -> bool:
        """Whether search compares meanings, where what it needs for that is installed."""
        ...


@dataclass(frozen=True, slots=True)
class Memory(Service):
    """The memory service."""

    parts: Sequence[Part]
    library: Library
    shelf: Shelf
    meanings: Meanings
    external: External | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        for part in self.parts:
            part.register(server)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Begin what its parts do in the background."""
        for part in self.parts:
            part.start(lifecycle)
        if self.external is not None:
            self.external.begin(lifecycle, health)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        library, meanings, external = self.library, self.meanings, self.external
        beside = [ExternalMetrics(external.asking, external.overseeing)] if external else []
        return [
            *beside,
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
                    "antiphon_search_memory_scopes": (
                        "Scopes whose memories can be searched without being read first.",
                        lambda: self.shelf.scopes,
                    ),
                    "antiphon_search_by_meaning": (
                        "1 if search compares meanings, 0 if it finds by words alone.",
                        lambda: float(meanings.in_use),
                    ),
                    "antiphon_search_vectors_wanted": (
                        "Conversations and scopes of which there may be no vectors of all yet.",
                        lambda: meanings.wanted,
                    ),
                    "antiphon_search_vectors_made": (
                        "Vectors that were made since the start; they are kept in the store.",
                        lambda: meanings.made,
                    ),
                }
            ),
        ]


def compose_service(
    settings: ProcessSettings, infrastructure: Infrastructure, links: Links, guards: Guards
) -> Memory:
    """Put the memory service on what its process has."""
    internal, database = links.internal, infrastructure.database
    conversations = ContextConversations(ContextServiceStub(internal))
    names = AuthServiceNames(AuthServiceStub(internal), infrastructure.names)
    logs = EventServiceLogs(EventServiceStub(internal))
    meanings, indexing = _meanings(settings, database)
    library = Library(conversations, logs, names, indexing=indexing, meanings=meanings)
    entities = SqlEntities(database)
    expanding = Expanding(entities)
    searching = Searching(conversations, names, library, expanding=expanding)
    store = SqlMemories(database)
    shelf = Shelf(store, names, library)
    external = _external(settings.external_memory, infrastructure, internal)
    hits = ExternalHits(external.asking, store, Sources(conversations)) if external else None
    recalling = Recalling(
        conversations, store, library, shelf, searching, external=hits, expanding=expanding
    )
    search = Search(SearchServicer(searching, recalling), library, shelf, meanings)
    audiences = ContextAudiences(ContextServiceStub(internal))
    notes = _notes(database, internal)
    assemblies = SqlAssemblies(database)
    summaries = _summaries(settings, database, internal, library, conversations, names)
    profiles = AuthServiceProfiles(ProfileServiceStub(internal), infrastructure.profiles)
    contributors: Sequence[Contributor] = [  # what matters most first
        WhoAsks(profiles, audiences),
        WhiteboardSections(notes.whiteboards),
        RelevantMemories(conversations, audiences, store, shelf, library, expanding=expanding),
        OlderMessages(conversations, names, library, expanding),
        WhatCameBefore(summaries.reading),
    ]
    assembling = Assembling(conversations, Contributions(contributors), assemblies)
    assembly = Assembly(AssemblyServicer(assembling), assembling, assemblies)
    remembering = Remembering(store, conversations, PolicyRights(guards.policy))
    trail = _trail(database, internal)
    gathering = None
    if settings.remember_by_rules or settings.remember_by_model:
        finder = _finder(settings.remember_by_model, names, internal)
        gathering = Gathering(
            logs,
            finder,
            SqlExtractions(database),
            lambda: {*library.known, *assembling.active},
            acquaintances=Acquaintances(names, entities, conversations),
        )
    servicer = MemoryServicer(remembering, trail, external.overseeing if external else None)
    memories = Memories(servicer, Expiring(store, trail.tell), trail, gathering)
    naming = Naming(entities, conversations)
    called = Called(EntityServicer(naming, trail))
    forgetting = Forgetting(SqlSources(database), store, conversations, RuleFinder(names))
    servicer_of_erased = ForgettingServicer(
        *(forgetting, notes.whiteboards, assemblies, naming, summaries.summarising, library),
        *(SqlFiles(database), trail),
    )
    erased = Erased(servicer_of_erased, forgetting)
    pruning = Pruning(SqlPruning(database))
    prunings = Prunings(PruningServicer(pruning, Sources(conversations)), pruning)
    parts = (search, assembly, memories, prunings, notes, called, summaries, erased)
    return Memory(parts, library, shelf, meanings, external)


def _meanings(settings: ProcessSettings, database: Database) -> tuple[Meanings, Indexing]:
    has_model = settings.search_by_meaning and MINILM.runs_here
    indexing = Indexing(by_meaning=has_model)
    kept = SqlVectors(database)
    return Meanings(indexing, kept, load_minilm if has_model else None), indexing


def _finder(model: str, names: Names, internal: grpc.aio.Channel) -> Finder:
    rules = RuleFinder(names)
    if not model:
        return rules
    asked = IntegrationModel(model, IntegrationServiceStub(internal), ContextServiceStub(internal))
    return ModelFinder(names, asked, rules)


def _trail(database: Database, internal: grpc.aio.Channel) -> TrailRelay:
    audit = AuditServiceTrail(AuditServiceStub(internal))
    return TrailRelay(SqlOutbox(database, trail_outbox), audit)


def _notes(database: Database, internal: grpc.aio.Channel) -> Notes:
    told = EventServiceLog(EventServiceStub(internal))
    log = TrailRelay(SqlOutbox(database, whiteboard_outbox), told, name="the log")
    places = ContextPlaces(ContextServiceStub(internal), FilterServiceStub(internal))
    return Notes(Whiteboards(SqlWhiteboards(database, log), places), log)


def _summaries(
    settings: ProcessSettings,
    database: Database,
    internal: grpc.aio.Channel,
    library: Library,
    conversations: ContextConversations,
    names: AuthServiceNames,
) -> Summaries:
    store = SqlSummaries(database)
    logs = EventServiceLogs(EventServiceStub(internal), tells_undone=True)
    making, writing = Making(store, conversations, library), None
    if settings.summary_model:
        asked = IntegrationServiceStub(internal), ContextServiceStub(internal)
        model = IntegrationModel(settings.summary_model, *asked)
        writing = Writing(store, making, model, settings.summary_model)
    summarising = Summarising(logs, conversations, store, making, writing)
    reading = Reading(store, logs, conversations, names, summarising.want)
    return Summaries(reading, summarising)


def _external(
    settings: ExternalMemorySettings | None,
    infrastructure: Infrastructure,
    internal: grpc.aio.Channel,
) -> External | None:
    """The memory of others that the settings name."""
    if settings is None:
        return None
    name = settings.connection
    consulting = Consulting(ToolServiceStub(internal), name)
    memory: ExternalMemory = (
        Mem0Memory(consulting, settings.tools)
        if settings.kind == "mem0"
        else ContractMemory(consulting, settings.service)
    )
    progress = SqlExternalProgress(infrastructure.database)
    asking = Asking(memory, settings.deadline_s)
    owner = infrastructure.node or new_id("node")
    telling = Telling(name, memory, progress, owner, asking.is_back)
    return External(asking, telling, Overseeing(name, settings.kind, asking, telling, progress))
