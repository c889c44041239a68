"""Entities: what is called how, where that is said, and what is one and the same."""

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.memory.v1 import entity_service_pb2 as messages
from antiphon.memory.v1.entity_pb2 import Entity, EntityType, Mention
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.memory.v1.entity_service_pb2_grpc import EntityServiceAsyncStub


class Entities:
    """People, organisations, places and other things that have names.

    A ``scope`` is ``users/user_…``, ``workspaces/ws_…`` or ``conversations/conv_…``; without one
    they are the caller's own. Errors: AntiphonError, as each RPC's comment says.
    """

    _entities: "EntityServiceAsyncStub"
    _caller: Caller

    async def get_entity(self, entity_id: str, scope: str = "") -> Entity:
        """One entity as it is now."""
        request = messages.GetEntityRequest(scope=scope, entity_id=entity_id)
        return (await self._caller.call(self._entities.GetEntity, request)).entity

    def list_entities(
        self, scope: str = "", *, types: Sequence[EntityType.ValueType] = ()
    ) -> AsyncGenerator[Entity]:
        """A scope's entities, the newest first."""

        async def fetch(page_token: str) -> messages.ListEntitiesResponse:
            request = messages.ListEntitiesRequest(scope=scope, types=types, page_token=page_token)
            return await self._caller.call(self._entities.ListEntities, request)

        return pages(fetch, lambda page: page.entities)

    async def search_entities(
        self,
        query: str,
        scope: str = "",
        *,
        types: Sequence[EntityType.ValueType] = (),
        limit: int = 0,
    ) -> Sequence[Entity]:
        """Those with a name that has ``query`` in it, those of just that name first."""
        request = messages.SearchEntitiesRequest(scope=scope, query=query, types=types, limit=limit)
        return (await self._caller.call(self._entities.SearchEntities, request)).entities

    async def create_entity(
        self,
        name: str,
        type: EntityType.ValueType,
        scope: str = "",
        *,
        aliases: Sequence[str] = (),
    ) -> Entity:
        """Make one; what is there by that name is returned, with the aliases joined."""
        entity = Entity(name=name, type=type, aliases=aliases)
        request = messages.CreateEntityRequest(scope=scope, entity=entity)
        return (await self._caller.call(self._entities.CreateEntity, request)).entity

    async def update_entity(
        self, entity: Entity, *names: str, only_if_unchanged: bool = False
    ) -> Entity:
        """Correct the named fields to what an entity says that was read before."""
        request = messages.UpdateEntityRequest(
            scope=entity.scope,
            entity=entity,
            update_mask=FieldMask(paths=names),
            etag=entity.etag if only_if_unchanged else "",
        )
        return (await self._caller.call(self._entities.UpdateEntity, request)).entity

    async def merge_entities(
        self, entity_id: str, merged_entity_id: str, scope: str = ""
    ) -> Entity:
        """Say that two are the same; the first stays."""
        request = messages.MergeEntitiesRequest(
            scope=scope, entity_id=entity_id, merged_entity_id=merged_entity_id
        )
        return (await self._caller.call(self._entities.MergeEntities, request)).entity

    async def split_entity(
        self,
        entity_id: str,
        scope: str = "",
        *,
        merged_entity_id: str = "",
        names: Sequence[str] = (),
        mention_ids: Sequence[str] = (),
        etag: str = "",
    ) -> tuple[Entity, Entity]:
        """Take out what was merged, or some names or mentions: what is left, and the other."""
        request = messages.SplitEntityRequest(
            scope=scope,
            entity_id=entity_id,
            merged_entity_id=merged_entity_id,
            names=names,
            mention_ids=mention_ids,
            etag=etag,
        )
        response = await self._caller.call(self._entities.SplitEntity, request)
        return response.entity, response.other

    async def delete_entity(self, entity_id: str, scope: str = "") -> Entity:
        """Take away its names and mentions; returns what is left."""
        request = messages.DeleteEntityRequest(scope=scope, entity_id=entity_id)
        return (await self._caller.call(self._entities.DeleteEntity, request)).entity

    def list_mentions(self, entity_id: str, scope: str = "") -> AsyncGenerator[Mention]:
        """Where it is mentioned, what was found last first."""

        async def fetch(page_token: str) -> messages.ListMentionsResponse:
            request = messages.ListMentionsRequest(
                scope=scope, entity_id=entity_id, page_token=page_token
            )
            return await self._caller.call(self._entities.ListMentions, request)

        return pages(fetch, lambda page: page.mentions)
