"""EntityService: decode, call, encode."""

from typing import Any

from antiphon.memory.v1 import entity_service_pb2 as pb
from antiphon.memory.v1.entity_service_pb2_grpc import EntityServiceServicer
from antiphon_server.memory.encoding import entities as encoding
from antiphon_server.memory.entities.naming import Naming
from antiphon_server.memory.servicers.scopes import scope_of
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.field_masks import masked
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    page_limit,
    page_of,
)
from antiphon_server.runtime.trail.relay import TrailRelay

FOUND, MOST_FOUND = 10, 50


class EntityServicer(EntityServiceServicer):
    """The RPCs of ``antiphon.memory.v1.EntityService``."""

    def __init__(self, naming: Naming, trail: TrailRelay) -> None:
        self._naming, self._trail = naming, trail

    async def GetEntity(self, request: pb.GetEntityRequest, context: Any) -> pb.GetEntityResponse:
        found = await self._naming.get(scope_of(request.scope), request.entity_id)
        return pb.GetEntityResponse(entity=encoding.entity_message(found))

    async def ListEntities(
        self, request: pb.ListEntitiesRequest, context: Any
    ) -> pb.ListEntitiesResponse:
        scope, types = scope_of(request.scope), encoding.types_of(request.types)
        listed, limit = f"entities {scope} {types}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=1)
        before = position[0] if position else ""
        found = await self._naming.list(scope, types, before, limit + 1)
        page, token = page_of(map(encoding.entity_message, found), limit), ""
        if len(found) > len(page):
            token = encode_page_token(listed, found[len(page) - 1].entity_id)
        return pb.ListEntitiesResponse(entities=page, next_page_token=token)

    async def SearchEntities(
        self, request: pb.SearchEntitiesRequest, context: Any
    ) -> pb.SearchEntitiesResponse:
        scope, types = scope_of(request.scope), encoding.types_of(request.types)
        limit = page_limit(request.limit, FOUND, MOST_FOUND)
        found = await self._naming.search(scope, request.query, types, limit)
        return pb.SearchEntitiesResponse(entities=map(encoding.entity_message, found))

    async def CreateEntity(
        self, request: pb.CreateEntityRequest, context: Any
    ) -> pb.CreateEntityResponse:
        said = encoding.said_of(request.entity, scope_of(request.scope))
        made, existed = await self._naming.create(current_principal(), said)
        return pb.CreateEntityResponse(entity=encoding.entity_message(made), existed=existed)

    async def UpdateEntity(
        self, request: pb.UpdateEntityRequest, context: Any
    ) -> pb.UpdateEntityResponse:
        paths, said = masked(request.update_mask, encoding.MASKED), request.entity
        found = await self._naming.update(
            current_principal(),
            scope_of(request.scope),
            said.entity_id,
            lambda before: encoding.corrected(before, said, paths),
            request.etag,
        )
        return pb.UpdateEntityResponse(entity=encoding.entity_message(found))

    async def MergeEntities(
        self, request: pb.MergeEntitiesRequest, context: Any
    ) -> pb.MergeEntitiesResponse:
        scope, principal = scope_of(request.scope), current_principal()
        made = await self._naming.merge(
            principal, scope, request.entity_id, request.merged_entity_id
        )
        return pb.MergeEntitiesResponse(entity=encoding.entity_message(made))

    async def SplitEntity(
        self, request: pb.SplitEntityRequest, context: Any
    ) -> pb.SplitEntityResponse:
        scope, what = scope_of(request.scope), encoding.split_of(request)
        left, other = await self._naming.split(
            current_principal(), scope, request.entity_id, what, request.etag
        )
        return pb.SplitEntityResponse(
            entity=encoding.entity_message(left), other=encoding.entity_message(other)
        )

    async def DeleteEntity(
        self, request: pb.DeleteEntityRequest, context: Any
    ) -> pb.DeleteEntityResponse:
        left = await self._naming.delete(scope_of(request.scope), request.entity_id)
        await self._trail.tell()
        return pb.DeleteEntityResponse(entity=encoding.entity_message(left))

    async def ListMentions(
        self, request: pb.ListMentionsRequest, context: Any
    ) -> pb.ListMentionsResponse:
        scope, entity_id = scope_of(request.scope), request.entity_id
        listed, limit = f"mentions {scope} {entity_id}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=1)
        before = position[0] if position else ""
        principal = current_principal()
        found = await self._naming.mentions(principal, scope, entity_id, before, limit + 1)
        page, token = page_of(map(encoding.mention_message, found), limit), ""
        if len(found) > len(page):
            token = encode_page_token(listed, page[-1].mention_id)
        return pb.ListMentionsResponse(mentions=page, next_page_token=token)
