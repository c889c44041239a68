"""Entities in a SQL database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, bindparam, case, delete, select

from antiphon_server.memory.adapters.entity_rows import alone, groups_of, mention_of
from antiphon_server.memory.adapters.mentioning import forget_sources_in, hold
from antiphon_server.memory.adapters.renaming import (
    create_in,
    delete_in,
    merge_in,
    replace_in,
    row_in,
    split_in,
)
from antiphon_server.memory.adapters.tables import (
    barred_names,
    entities,
    entity_names,
    entity_scopes,
    mentions,
)
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.named import (
    Entity,
    EntityState,
    EntityType,
    Mention,
    Split,
    key_of,
)
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedIn


def _with_entities(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"scope_{n}") for n in places]
    return select(entity_scopes.c.scope).where(entity_scopes.c.scope.in_(asked))


_WITH_ENTITIES = PreparedIn(_with_entities)
_AT_ONCE = 1024
_MOST_LOOKED_IN = 100
_MOST_OWNERS = 64
_IN_USE = select(entities.c.entity_id).where(
    entities.c.scope == bindparam("b_scope"), entities.c.state == int(EntityState.ACTIVE)
)
_NAMED_SO = select(entity_names.c.key, entities.c.root_id, entities.c.type).where(
    entity_names.c.scope == bindparam("b_scope"), entities.c.entity_id == entity_names.c.entity_id
)
_MENTIONS = (
    select(mentions)
    .where(mentions.c.entity_id == entities.c.entity_id, entities.c.root_id == bindparam("b_id"))
    .order_by(mentions.c.mention_id.desc())
    .limit(bindparam("b_limit"))
)
_NAMES_OF = select(entity_names.c.name).where(entity_names.c.scope == bindparam("b_scope"))
_OWNERS = select(entity_names.c.key, entities.c.root_id).where(
    entity_names.c.scope.in_(bindparam("b_scopes", expanding=True)),
    entity_names.c.key.in_(bindparam("b_keys", expanding=True)),
    entities.c.entity_id == entity_names.c.entity_id,
)
_CALLED = select(entities.c.root_id, entity_names.c.name).where(
    entities.c.root_id.in_(bindparam("b_roots", expanding=True)),
    entity_names.c.entity_id == entities.c.entity_id,
)


class SqlEntities:
    """An :class:`~antiphon_server.memory.entities.ports.EntityStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, scope: str, entity_id: str) -> Entity | None:
        """See :meth:`EntityStore.get`."""

        def work(connection: Connection) -> Entity | None:
            row = row_in(connection, scope, entity_id)
            if row is None:
                return None
            if row["state"] == int(EntityState.ACTIVE):
                return groups_of(connection, [entity_id])[entity_id]
            of_it = entity_names.c.entity_id == entity_id
            columns = entity_names.c.key, entity_names.c.name, entity_names.c.first
            names = connection.execute(select(*columns).where(of_it)).all()
            return alone(row, [(it[0], it[1], bool(it[2])) for it in names], 0)

        return await self._database.read(work)

    async def list(
        self, scope: str, types: Collection[EntityType], before: str, limit: int
    ) -> Sequence[Entity]:
        """See :meth:`EntityStore.list`."""
        listed = _IN_USE
        if types:
            listed = listed.where(entities.c.type.in_([int(it) for it in types]))
        if before:
            listed = listed.where(entities.c.entity_id < before)
        listed = listed.order_by(entities.c.entity_id.desc()).limit(limit)

        def work(connection: Connection) -> Sequence[Entity]:
            ids = connection.execute(listed, {"b_scope": scope}).scalars().all()
            return list(groups_of(connection, ids).values())

        return await self._database.read(work)

    async def search(
        self, scope: str, query: str, types: Collection[EntityType], limit: int
    ) -> Sequence[Entity]:
        """See :meth:`EntityStore.search`."""
        wanted = key_of(query)
        named = _NAMED_SO.where(entity_names.c.key.contains(wanted, autoescape=True))

        def work(connection: Connection) -> Sequence[Entity]:
            rows = connection.execute(named, {"b_scope": scope}).all()
            fitting = [it for it in rows if not types or EntityType(it.type) in types]
            fitting.sort(key=lambda it: (it.key != wanted, not it.key.startswith(wanted), it.key))
            roots = list(dict.fromkeys(it.root_id for it in fitting))[:limit]
            return list(groups_of(connection, roots).values())

        return await self._database.read(work)

    async def create(self, entity: Entity) -> tuple[Entity, bool]:
        """See :meth:`EntityStore.create`."""
        return await self._database.write(lambda it: create_in(it, entity))

    async def replace(self, entity: Entity, before: str) -> bool:
        """See :meth:`EntityStore.replace`."""
        return await self._database.write(lambda it: replace_in(it, entity, before))

    async def merge(
        self, scope: str, entity_id: str, other_id: str, actor: str, now_us: int
    ) -> Entity:
        """See :meth:`EntityStore.merge`."""
        return await self._database.write(
            lambda it: merge_in(it, scope, entity_id, other_id, actor, now_us)
        )

    async def split(
        self, scope: str, entity_id: str, what: Split, seen: str, actor: str, now_us: int
    ) -> tuple[Entity, Entity]:
        """See :meth:`EntityStore.split`."""
        return await self._database.write(
            lambda it: split_in(it, scope, entity_id, what, seen, actor, now_us)
        )

    async def delete(self, scope: str, entity_id: str, now_us: int) -> Entity | None:
        """See :meth:`EntityStore.delete`."""
        return await self._database.write(delete_in(scope, entity_id, now_us))

    async def mentions(
        self, scope: str, entity_id: str, before: str, limit: int
    ) -> Sequence[Mention]:
        """See :meth:`EntityStore.mentions`."""
        listed = _MENTIONS.where(mentions.c.scope == scope)
        if before:
            listed = listed.where(mentions.c.mention_id < before)
        at = {"b_id": entity_id, "b_limit": limit}
        return await self._database.read(
            lambda it: [mention_of(row) for row in it.execute(listed, at)]
        )

    async def forget_sources(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> None:
        """See :meth:`EntityStore.forget_sources`."""
        await self._database.write(lambda it: forget_sources_in(it, conversation_id, message_ids))

    async def forget_scope(self, scope: str) -> None:
        """See :meth:`EntityStore.forget_scope`."""

        def work(connection: Connection) -> None:
            hold(connection, scope)
            for table in (entity_names, mentions, barred_names, entities):
                connection.execute(delete(table).where(table.c.scope == scope))

        await self._database.write(work)

    async def scrub(self) -> None:
        """See :meth:`EntityStore.scrub`."""
        await self._database.scrub(
            ("memory_entity_names", "memory_entity_mentions", "memory_entities")
        )

    async def names_in(self, scope: str) -> Sequence[str]:
        """See :meth:`~antiphon_server.memory.ports.KnownNames.names_in`."""
        at = {"b_scope": scope}
        return await self._database.read(lambda it: it.execute(_NAMES_OF, at).scalars().all())

    async def other_names(
        self, scopes: Sequence[str], keys: Collection[str]
    ) -> Mapping[str, Sequence[str]]:
        """See :meth:`~antiphon_server.memory.entities.expanding.Aliases.other_names`."""
        asked = [{"scope": it} for it in scopes][:_AT_ONCE]

        def work(connection: Connection) -> Mapping[str, Sequence[str]]:
            have = {row[0] for row in _WITH_ENTITIES.rows(connection, asked)}
            there = [it for it in scopes if it in have][:_MOST_LOOKED_IN]
            if not there:
                return {}
            # Where there are very many, those of the first scopes count, as of the scopes.
            turn = case({it: n for n, it in enumerate(there)}, value=entity_names.c.scope)
            owned = _OWNERS.order_by(turn, entities.c.entity_id).limit(_MOST_OWNERS)
            at = {"b_scopes": there, "b_keys": list(keys)}
            owners = connection.execute(owned, at).all()
            called: dict[str, list[str]] = {}
            roots = {"b_roots": [it.root_id for it in owners]}
            for root_id, name in connection.execute(_CALLED, roots) if owners else ():
                called.setdefault(root_id, []).append(name)
            others: dict[str, list[str]] = {}
            for key, root_id in owners:
                more = [it for it in called[root_id] if key_of(it) != key]
                others.setdefault(key, []).extend(more)
            return {key: those for key, those in others.items() if those}

        return await self._database.read(work)
