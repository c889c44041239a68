"""The rules of entities: how they are made, corrected, merged, taken apart and deleted."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from antiphon_server.memory.entities.ports import EntityStore
from antiphon_server.memory.memories.sources import Sources
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.named import (
    LONGEST_NAME,
    MOST_NAMES,
    Entity,
    EntityState,
    EntityType,
    Mention,
    Split,
    key_of,
)
from antiphon_server.memory.ports import Conversations
from antiphon_server.memory.remembered import Origin
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found


def _now_us() -> int:
    return time.time_ns() // 1000


class Naming:
    """Reads and changes entities; that callers may in the scope was asked before.

    Each call raises DomainError as the contract says.
    """

    def __init__(
        self,
        store: EntityStore,
        conversations: Conversations,
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        self._store, self._sources, self._now_us = store, Sources(conversations), now_us

    async def get(self, scope: str, entity_id: str) -> Entity:
        """One as it is."""
        found = await self._store.get(scope, entity_id)
        if found is None:
            raise not_found(entity_id)
        return found

    async def list(
        self, scope: str, types: Collection[EntityType], before: str, limit: int
    ) -> Sequence[Entity]:
        """Those of a scope behind an id, the newest first."""
        return await self._store.list(scope, types, before, limit)

    async def search(
        self, scope: str, query: str, types: Collection[EntityType], limit: int
    ) -> Sequence[Entity]:
        """Those of a scope with a name that has the query in it."""
        return await self._store.search(scope, query, types, limit)

    async def create(self, principal: Principal, said: Entity) -> tuple[Entity, bool]:
        """Make one, unless it is there; says whether it was."""
        now_us = self._now_us()
        entity = replace(
            _tidied(said),
            entity_id=new_id("ent"),
            creator=principal.actor,
            origin=_origin_of(principal),
            etag=new_id("etag"),
            create_us=now_us,
            update_us=now_us,
        )
        if entity.type is EntityType.NONE:
            raise invalid("entity.type", "PERSON, ORGANISATION, PLACE, PRODUCT, EVENT or OTHER")
        return await self._store.create(entity)

    async def update(
        self,
        principal: Principal,
        scope: str,
        entity_id: str,
        corrected: Callable[[Entity], Entity],
        seen: str,
    ) -> Entity:
        """Correct one of that etag, or whatever it is."""
        before = await self.get(scope, entity_id)
        after = _tidied(corrected(before))
        if after == before:
            return before
        if before.state is not EntityState.ACTIVE:
            raise not_active(before)
        if after.type is EntityType.NONE:
            raise invalid("entity.type", "PERSON, ORGANISATION, PLACE, PRODUCT, EVENT or OTHER")
        if seen not in ("", before.etag):
            raise DomainError(Reason.ETAG_MISMATCH, resource=entity_id)
        after = replace(
            after,
            origin=_origin_of(principal),
            updater=principal.actor,
            etag=new_id("etag"),
            update_us=self._now_us(),
        )
        if not await self._store.replace(after, before.etag):
            raise DomainError(Reason.ETAG_MISMATCH, resource=entity_id)
        await self._store.scrub()
        return await self.get(scope, entity_id)

    async def merge(
        self, principal: Principal, scope: str, entity_id: str, other_id: str
    ) -> Entity:
        """Let another one be the same."""
        await self.get(scope, entity_id)
        if entity_id == other_id:
            raise invalid("merged_entity_id", "another one than entity_id")
        return await self._store.merge(scope, entity_id, other_id, principal.actor, self._now_us())

    async def split(
        self, principal: Principal, scope: str, entity_id: str, what: Split, seen: str
    ) -> tuple[Entity, Entity]:
        """Take something from one: what is left, and what was taken."""
        await self.get(scope, entity_id)
        asked = (bool(what.merged_entity_id), bool(what.names or what.mention_ids))
        if asked.count(True) != 1:
            raise invalid("merged_entity_id", "what was merged, or else names or mention_ids")
        return await self._store.split(
            scope, entity_id, what, seen, principal.actor, self._now_us()
        )

    async def delete(self, scope: str, entity_id: str) -> Entity:
        """Take away its names and mentions."""
        left = await self._store.delete(scope, entity_id, self._now_us())
        if left is None:
            raise not_found(entity_id)
        await self._store.scrub()
        return left

    async def forget_sources(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> None:
        """Return when nothing is known of what these messages, which are erased, call anything.

        Files have it until they are scrubbed.
        """
        await self._store.forget_sources(conversation_id, message_ids)

    async def forget_scope(self, scope: str) -> None:
        """Return when nothing is called anything there. Files have it until they are scrubbed."""
        await self._store.forget_scope(scope)

    async def mentions(
        self, principal: Principal, scope: str, entity_id: str, before: str, limit: int
    ) -> Sequence[Mention]:
        """Where it is mentioned; messages that the caller may not read have no ids."""
        await self.get(scope, entity_id)
        found = await self._store.mentions(scope, entity_id, before, limit)
        said = [it.source for it in found if it.source is not None]
        shown = iter(await self._sources.seen(principal, said))
        return [it if it.source is None else replace(it, source=next(shown)) for it in found]


def not_active(entity: Entity) -> DomainError:
    """The error of changing one that is merged or deleted."""
    return DomainError(
        Reason.ENTITY_NOT_ACTIVE, entity_id=entity.entity_id, merged_into=entity.merged_into
    )


def _origin_of(principal: Principal) -> Origin:
    return Origin.PERSON if principal.kind == "user" else Origin.MODEL


def _tidied(entity: Entity) -> Entity:
    """With each name once, without spaces around them. Raises INVALID_ARGUMENT."""
    name, *aliases = _each_once(entity.names)
    if not name:
        raise invalid("entity.name", "what it is called")
    if len(aliases) >= MOST_NAMES:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_NAMES} names of an entity")
    return replace(entity, name=name, aliases=tuple(aliases))


def _each_once(names: Iterable[str]) -> Sequence[str]:
    different = dict[str, str]()
    for name in names:
        said = " ".join(name.split())[:LONGEST_NAME]
        different.setdefault(key_of(said), said)
    first, *others = different.values()
    return first, *(it for it in others if it)
