"""What rules found, and how far they have read, in a SQL database.

Both change in one transaction: so a crash, or another server that reads the same log, makes
nothing of it twice, and loses nothing.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ClauseElement, Connection, Row, and_, bindparam, delete, select, text, update

from antiphon_server.memory.adapters.memory_rows import memory_in
from antiphon_server.memory.adapters.mentioning import Found as Mentioned
from antiphon_server.memory.adapters.mentioning import forget_sources_in, mention_in, scopes_in
from antiphon_server.memory.adapters.mentioning import hold as hold_entities
from antiphon_server.memory.adapters.putting import next_revision, put_in, said_again, supersede_in
from antiphon_server.memory.adapters.source_rows import erased_in
from antiphon_server.memory.adapters.source_rows import hold as hold_conversation
from antiphon_server.memory.adapters.tables import claims, extracted, facts, memories
from antiphon_server.memory.extracting import model as extracting
from antiphon_server.memory.extracting.merging import settled
from antiphon_server.memory.extracting.model import Candidate, Hold
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.named import Occurrence
from antiphon_server.memory.remembered import Kind, Memory, Origin, Source, State
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedIn, PreparedInsert

CREATOR = "services/memory"
MOST_CHARACTERS = 200
_KINDS = {
    extracting.Kind.FACT: Kind.FACT,
    extracting.Kind.PREFERENCE: Kind.PREFERENCE,
    extracting.Kind.EVENT: Kind.EVENT,
    extracting.Kind.NOTE: Kind.NOTE,
}
_AT_ONCE = 1024
Found = Sequence[tuple[MessageId, Candidate]]
Named = Sequence[tuple[MessageId, Occurrence]]
log = logging.getLogger(__name__)


def _cursors_of(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"conversation_id_{n}") for n in places]
    return select(extracted).where(extracted.c.conversation_id.in_(asked))


_CURSORS = PreparedIn(_cursors_of)
_BEGIN = PreparedInsert(extracted, " ON CONFLICT DO NOTHING")
_GO_ON = (
    update(extracted)
    .where(
        extracted.c.conversation_id == bindparam("b_id"),
        extracted.c.cursor == bindparam("b_before"),
    )
    .values(cursor=bindparam("b_after"))
)
_KNOWN = select(facts, memories.c.body).where(
    facts.c.scope == bindparam("b_scope"),
    facts.c.topic == bindparam("b_topic"),
    memories.c.memory_id == facts.c.memory_id,
    memories.c.state == int(State.ACTIVE),
)
_CLAIM = text(
    "INSERT INTO memory_claims (conversation_id, until_us) VALUES (:conversation_id, :until_us)"
    " ON CONFLICT (conversation_id) DO UPDATE SET until_us = excluded.until_us"
    " WHERE memory_claims.until_us <= :now_us"
)
_OWN = and_(claims.c.conversation_id == bindparam("b_id"), claims.c.until_us == bindparam("b_held"))
_RENEW = update(claims).where(_OWN).values(until_us=bindparam("b_until"))
_UNCLAIM = delete(claims).where(_OWN)
_ADD = PreparedInsert(facts, " ON CONFLICT DO NOTHING")


class SqlExtractions:
    """An :class:`~antiphon_server.memory.ports.Extractions` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def cursors(
        self, conversation_ids: Collection[ConversationId]
    ) -> Mapping[ConversationId, str]:
        asked = [{"conversation_id": it} for it in conversation_ids]

        def work(connection: Connection) -> Mapping[ConversationId, str]:
            found = dict[ConversationId, str]()
            for start in range(0, len(asked), _AT_ONCE):
                rows = _CURSORS.rows(connection, asked[start : start + _AT_ONCE])
                found |= {ConversationId(row[0]): str(row[1]) for row in rows}
            return found

        return await self._database.read(work)

    async def claim(self, conversation_id: ConversationId, now_us: int, until_us: int) -> bool:
        row = {"conversation_id": conversation_id, "until_us": until_us, "now_us": now_us}
        return await self._database.write(lambda it: it.execute(_CLAIM, row).rowcount == 1)

    async def renew(self, conversation_id: ConversationId, held_us: int, until_us: int) -> bool:
        at = {"b_id": conversation_id, "b_held": held_us, "b_until": until_us}
        return await self._database.write(lambda it: it.execute(_RENEW, at).rowcount == 1)

    async def unclaim(self, conversation_id: ConversationId, until_us: int) -> None:
        at = {"b_id": conversation_id, "b_held": until_us}
        await self._database.write(lambda it: it.execute(_UNCLAIM, at))

    async def keep(
        self,
        conversation_id: ConversationId,
        before: str,
        after: str,
        found: Found,
        now_us: int,
        named: Named = (),
        erased: Collection[MessageId] = (),
    ) -> bool:
        def work(connection: Connection) -> bool:
            if not _moved(connection, conversation_id, before, after):
                return False
            _hold(connection, conversation_id, found, named, erased, now_us)
            those = [it for it, _ in (*found, *named)]
            gone = erased_in(connection, conversation_id, those)  # since they were read
            _mention(connection, conversation_id, [it for it in named if it[0] not in gone], now_us)
            for message_id, candidate in (it for it in found if it[0] not in gone):
                _remember(connection, candidate, Source(conversation_id, message_id), now_us)
            forget_sources_in(connection, conversation_id, erased)
            return True

        return await self._database.write(work)


def _moved(connection: Connection, conversation_id: str, before: str, after: str) -> bool:
    if not before:
        row = {"conversation_id": conversation_id, "cursor": after}
        return bool(_BEGIN.run(connection, [row]))
    at = {"b_id": conversation_id, "b_before": before, "b_after": after}
    return connection.execute(_GO_ON, at).rowcount == 1


def _hold(
    connection: Connection,
    conversation_id: ConversationId,
    found: Found,
    named: Named,
    erased: Collection[MessageId],
    now_us: int,
) -> None:
    """Hold what may change until the commit, in the order in which everybody does.

    Scopes' memories, then what comes from the conversation, then scopes' entities.
    """
    if not found and not named and not erased:
        return
    scopes = {it.subject for _, it in found}.union(it.scope for _, it in named)
    for scope in sorted(scopes):
        next_revision(connection, scope)
    hold_conversation(connection, conversation_id, now_us)
    for scope in sorted(scopes.union(scopes_in(connection, conversation_id, erased))):
        hold_entities(connection, scope)


def _mention(
    connection: Connection,
    conversation_id: ConversationId,
    named: Named,
    now_us: int,
) -> None:
    """Before facts are put, so that those are linked to the entities that they name."""
    by_scope: dict[str, list[Mentioned]] = {}
    for message_id, it in named:
        source = Source(conversation_id, message_id, it.start, it.end)
        by_scope.setdefault(it.scope, []).append(Mentioned(it, source))
    for scope, those in sorted(by_scope.items()):
        mention_in(connection, scope, those, now_us)


def _remember(connection: Connection, found: Candidate, source: Source, now_us: int) -> None:
    at = {"b_scope": found.subject, "b_topic": found.topic[:MOST_CHARACTERS]}
    known = [(_earlier(row, found), memory_in(row.body)) for row in connection.execute(_KNOWN, at)]
    outcome = settled(found, [it for it, _ in known])
    memory, contradicted = _memory(found, source, now_us), list[str]()
    for earlier, kept in known:
        if earlier is outcome.same:
            if kept.origin is Origin.PERSON:
                revision, _ = next_revision(connection, kept.scope)
                said_again(connection, kept, now_us, revision)
                return  # they have corrected it: what was said before does not change that
            memory = replace(memory, text=kept.text, kind=kept.kind, subject=kept.subject)
        elif any(earlier is it for it in outcome.replaces):
            contradicted.append(kept.memory_id)
    memory = replace(memory, supersedes=max(contradicted, default=""))
    try:
        put = put_in(connection, memory)
    except DomainError as error:
        if error.reason is Reason.MEMORY_SOURCE_INVALID:
            return  # it was erased since it was read
        if error.reason is not Reason.LIMIT_EXCEEDED:
            raise
        log.info("a fact is not remembered, since there are too many: %s", error)
        return
    for memory_id in contradicted:
        supersede_in(connection, memory_id, put.memory)
    row = {
        "memory_id": put.memory.memory_id,
        "scope": found.subject,
        "topic": found.topic[:MOST_CHARACTERS],
        "value": found.value[:MOST_CHARACTERS],
        "hold": found.hold.value,
        "valid_until_us": found.valid_until_us,
    }
    _ADD.run(connection, [row])


def _memory(found: Candidate, source: Source, now_us: int) -> Memory:
    return Memory(
        new_id("mem"),
        found.subject,
        _KINDS[found.kind],
        found.text,
        subject=found.subject,
        entities=tuple(found.entities),
        valid_from_us=found.valid_from_us or None,
        valid_until_us=found.valid_until_us or None,
        sources=(replace(source, start=found.start, end=found.end),),
        creator=CREATOR,
        origin=Origin.MODEL if found.by_model else Origin.RULES,
        etag=new_id("etag"),
        create_us=now_us,
        update_us=now_us,
        updater=CREATOR,
    )


def _earlier(row: Row[Any], found: Candidate) -> Candidate:
    """What is known of the topic, as far as it is compared with what was found now."""
    return replace(
        found, value=row.value, hold=Hold(row.hold), valid_until_us=row.valid_until_us, said_us=0
    )
