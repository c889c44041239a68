"""What is made of erased messages goes from all of memory, and from its files once."""

from collections.abc import Sequence
from typing import Any, cast

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon.memory.v1 import forgetting_service_pb2 as pb
from antiphon_server.memory.adapters.assemblies import SqlAssemblies
from antiphon_server.memory.adapters.sql_entities import SqlEntities
from antiphon_server.memory.adapters.sql_files import SqlFiles
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.sql_sources import SqlSources
from antiphon_server.memory.adapters.sql_summaries import SqlSummaries
from antiphon_server.memory.adapters.sql_vectors import SqlVectors
from antiphon_server.memory.adapters.sql_whiteboards import SqlWhiteboards
from antiphon_server.memory.adapters.tables import metadata, trail_outbox
from antiphon_server.memory.entities.naming import Naming
from antiphon_server.memory.memories.forgetting import Forgetting
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.remembered import Kind, Memory, Source
from antiphon_server.memory.search.indexing import Indexing
from antiphon_server.memory.search.library import Library
from antiphon_server.memory.search.meanings import Meanings
from antiphon_server.memory.servicers.forgetting import ForgettingServicer
from antiphon_server.memory.summaries.making import Making
from antiphon_server.memory.summaries.summarising import Summarising
from antiphon_server.memory.whiteboard.whiteboards import Whiteboards
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.model import Entry
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay
from tests.fakes.databases import opened_sqlite

HERE = "conv_00000001"
NOBODY: Any = None
"""Of what is not asked, as nothing is known there."""


class Counting:
    """A database that counts how often its files are scrubbed."""

    def __init__(self, database: Database) -> None:
        self.database, self.scrubs = database, list[Sequence[str]]()

    def __getattr__(self, name: str) -> object:
        return getattr(self.database, name)

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        self.scrubs.append(tables)
        await self.database.scrub(tables, copies=copies)


class Trail:
    """The audit trail; keeps which memories it was told of."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def record(self, entry: Entry) -> None:
        (event,) = RecordSecurityEventsRequest.FromString(entry.body).events
        self.forgotten.append(event.memory_forgotten.memory_id)


def servicer(database: Database, indexing: Indexing, audit: Trail) -> ForgettingServicer:
    """All of memory that something is taken from."""
    summaries = SqlSummaries(database)
    return ForgettingServicer(
        Forgetting(SqlSources(database), SqlMemories(database), NOBODY, NOBODY),
        Whiteboards(SqlWhiteboards(database, NOBODY), NOBODY),
        SqlAssemblies(database),
        Naming(SqlEntities(database), NOBODY),
        Summarising(NOBODY, NOBODY, summaries, Making(summaries, NOBODY, NOBODY)),
        Library(NOBODY, NOBODY, NOBODY, meanings=Meanings(indexing, SqlVectors(database), None)),
        SqlFiles(database),
        TrailRelay(SqlOutbox(database, trail_outbox), audit),
    )


async def test_files_are_scrubbed_once_of_all_that_goes() -> None:
    """However much of memory had something of it; no table is left out."""
    async with opened_sqlite(metadata) as sqlite:
        database, indexing = Counting(sqlite), Indexing()
        it = servicer(cast(Database, database), indexing, Trail())
        sources = pb.ForgetSourcesRequest(
            conversation_id=HERE, message_ids=["msg_1"], turn_ids=["turn_1"], actor="users/a"
        )
        await it.ForgetSources(sources, None)
        scope = pb.ForgetScopeRequest(scope=f"conversations/{HERE}", actor="users/a")
        await it.ForgetScope(scope, None)
        indexing.close()
    assert len(database.scrubs) == 2
    told = {"memories", "versions", "facts", "vectors", "summaries", "sections"}
    assert {f"memory_{it}" for it in told} <= set(database.scrubs[0])


async def test_the_audit_trail_is_told_of_what_goes_with_its_sources_or_its_scope() -> None:
    """Before the answer: nobody has to forget something by hand first."""
    said = Source(ConversationId(HERE), MessageId("msg_1"))
    note = Memory("mem_00000001", "users/user_0000000ann", Kind.FACT, "Tea.", sources=(said,))
    own = Memory("mem_00000002", f"conversations/{HERE}", Kind.FACT, "Milk.")
    audit, indexing = Trail(), Indexing()
    async with opened_sqlite(metadata) as database:
        it, memories = servicer(database, indexing, audit), SqlMemories(database)
        for each in (note, own):
            await memories.put(each, None)
        sources = pb.ForgetSourcesRequest(
            conversation_id=HERE, message_ids=["msg_1"], actor="users/a"
        )
        await it.ForgetSources(sources, None)
        assert audit.forgotten == [note.memory_id]
        await it.ForgetScope(pb.ForgetScopeRequest(scope=own.scope, actor="users/a"), None)
        assert audit.forgotten == [note.memory_id, own.memory_id]
        indexing.close()
