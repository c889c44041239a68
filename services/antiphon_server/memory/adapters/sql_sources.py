"""What comes from erased messages, in a SQL database."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, and_, bindparam, delete, select

from antiphon_server.memory.adapters import source_rows
from antiphon_server.memory.adapters.memory_rows import memory_in
from antiphon_server.memory.adapters.putting import settle_in
from antiphon_server.memory.adapters.tables import (
    erased_sources,
    facts,
    memories,
    retentions,
    sources,
)
from antiphon_server.memory.memories.forgetting import Made
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.remembered import Memory, State
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.forgetting import forget_in_batches

_AT_ONCE = 500
_FOUND = (
    select(memories.c.body, facts.c.topic, facts.c.value, facts.c.hold)
    .select_from(memories.outerjoin(facts, facts.c.memory_id == memories.c.memory_id))
    .where(
        memories.c.memory_id.in_(
            select(sources.c.memory_id).where(
                sources.c.conversation_id == bindparam("b_conversation"),
                sources.c.message_id.in_(bindparam("b_those", expanding=True)),
            )
        )
    )
    .order_by(memories.c.memory_id)
    .limit(bindparam("b_limit"))
)
_SOURCES_IN = (
    select(sources.c.message_id)
    .where(sources.c.conversation_id == bindparam("b_conversation"))
    .distinct()
    .limit(bindparam("b_limit"))
)
_SAYING = (
    select(memories.c.memory_id)
    .where(memories.c.state != int(State.FORGOTTEN))
    .limit(bindparam("b_limit"))
)
_OF = tuple(
    _SAYING.where(whose == bindparam("b_scope")) for whose in (memories.c.scope, memories.c.subject)
)
"""Two searches of an index each: one of both would look at all of them."""


class SqlSources:
    """A :class:`~antiphon_server.memory.memories.forgetting.SourceStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(
        self, conversation_id: ConversationId, those: Collection[MessageId], now_us: int
    ) -> None:
        """See :meth:`SourceStore.close`."""
        await self._database.write(lambda it: source_rows.close(it, conversation_id, those, now_us))

    async def made_of(
        self, conversation_id: ConversationId, those: Collection[MessageId], limit: int
    ) -> Sequence[Made]:
        """See :meth:`SourceStore.made_of`."""
        asked = list(those)

        def work(connection: Connection) -> Sequence[Made]:
            for start in range(0, len(asked), _AT_ONCE):
                some = asked[start : start + _AT_ONCE]
                at = {"b_conversation": conversation_id, "b_those": some, "b_limit": limit}
                if rows := connection.execute(_FOUND, at).all():
                    return [_made(*row) for row in rows]
            return ()

        return await self._database.read(work)

    async def close_whole(self, conversation_id: ConversationId, now_us: int) -> None:
        """See :meth:`SourceStore.close_whole`."""
        await self.close(conversation_id, [MessageId(source_rows.WHOLE)], now_us)

    async def sources_in(
        self, conversation_id: ConversationId, limit: int
    ) -> Collection[MessageId]:
        """See :meth:`SourceStore.sources_in`."""
        at = {"b_conversation": conversation_id, "b_limit": limit}
        return await self._database.read(
            lambda it: [MessageId(row) for row in it.execute(_SOURCES_IN, at).scalars()]
        )

    async def of(self, scope: str, limit: int) -> Sequence[str]:
        """See :meth:`SourceStore.of`."""
        at = {"b_scope": scope, "b_limit": limit}

        def work(connection: Connection) -> Sequence[str]:
            found = [it for each in _OF for it in connection.execute(each, at).scalars()]
            return list(dict.fromkeys(found))

        return await self._database.read(work)

    async def forget_rule(self, scope: str) -> None:
        """See :meth:`SourceStore.forget_rule`."""
        rule = delete(retentions).where(retentions.c.scope == scope)
        await self._database.write(lambda it: it.execute(rule))

    async def settle(self, before: Memory, after: Memory | None, now_us: int, actor: str) -> bool:
        """See :meth:`SourceStore.settle`."""
        return await self._database.write(settle_in(before, after, now_us, actor))

    async def forget(self, before_us: int) -> None:
        """See :meth:`SourceStore.forget`."""
        them = erased_sources.c
        old = and_(them.create_us < before_us, them.message_id.not_in(["", source_rows.WHOLE]))
        await forget_in_batches(self._database, erased_sources, old)


def _made(body: bytes, topic: str | None, value: str | None, hold: str | None) -> Made:
    key = (topic or "", value or "", hold or "") if topic is not None else None
    return Made(memory_in(body), key)
