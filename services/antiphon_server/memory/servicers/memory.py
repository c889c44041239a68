"""MemoryService: decode, call, encode."""

from typing import Any

from antiphon.memory.v1 import memory_service_pb2 as pb
from antiphon.memory.v1.memory_service_pb2_grpc import MemoryServiceServicer
from antiphon_server.memory.encoding import memories as encoding
from antiphon_server.memory.encoding.external import status_message
from antiphon_server.memory.external.overseeing import Overseeing, resynced, status_of
from antiphon_server.memory.memories.remembering import Remembering
from antiphon_server.memory.servicers.scopes import scope_of
from antiphon_server.runtime.access.principal import UserId, asked_for, current_principal
from antiphon_server.runtime.rpc.field_masks import masked
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
    page_of,
)
from antiphon_server.runtime.trail.relay import TrailRelay

_FIRST_VERSION = 1 << 30
"""Behind all of them."""
EXPORTED, MOST_EXPORTED = 20, 50


class MemoryServicer(MemoryServiceServicer):
    """The RPCs of ``antiphon.memory.v1.MemoryService``."""

    def __init__(
        self, remembering: Remembering, trail: TrailRelay, overseeing: Overseeing | None = None
    ) -> None:
        self._remembering, self._trail, self._overseeing = remembering, trail, overseeing

    async def PutMemory(self, request: pb.PutMemoryRequest, context: Any) -> pb.PutMemoryResponse:
        principal = current_principal()
        said = encoding.said_of(request.memory, scope_of(request.scope))
        which = encoding.request_of(principal.actor, request.request_id, said.scope, request)
        put = await self._remembering.put(principal, said, which)
        return pb.PutMemoryResponse(memory=encoding.memory_message(put.memory), merged=put.merged)

    async def GetMemory(self, request: pb.GetMemoryRequest, context: Any) -> pb.GetMemoryResponse:
        scope, principal = scope_of(request.scope), current_principal()
        found = await self._remembering.get(principal, scope, request.memory_id)
        return pb.GetMemoryResponse(memory=encoding.memory_message(found))

    async def ListMemories(
        self, request: pb.ListMemoriesRequest, context: Any
    ) -> pb.ListMemoriesResponse:
        wish = encoding.list_wish_of(request, scope_of(request.scope))
        listed, limit = f"memories {wish}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=1)
        before = position[0] if position else ""
        found = await self._remembering.list(current_principal(), wish, before, limit + 1)
        page, token = page_of(map(encoding.memory_message, found), limit), ""
        if len(found) > len(page):
            token = encode_page_token(listed, found[len(page) - 1].memory_id)
        return pb.ListMemoriesResponse(memories=page, next_page_token=token)

    async def UpdateMemory(
        self, request: pb.UpdateMemoryRequest, context: Any
    ) -> pb.UpdateMemoryResponse:
        paths, said = masked(request.update_mask, encoding.MASKED), request.memory
        found = await self._remembering.update(
            current_principal(),
            scope_of(request.scope),
            said.memory_id,
            lambda before: encoding.corrected(before, said, paths),
            request.etag,
        )
        return pb.UpdateMemoryResponse(memory=encoding.memory_message(found))

    async def ForgetMemory(
        self, request: pb.ForgetMemoryRequest, context: Any
    ) -> pb.ForgetMemoryResponse:
        left = await self._remembering.forget(current_principal(), request.memory_id)
        await self._trail.tell()
        return pb.ForgetMemoryResponse(memory=encoding.memory_message(left))

    async def ListMemoryVersions(
        self, request: pb.ListMemoryVersionsRequest, context: Any
    ) -> pb.ListMemoryVersionsResponse:
        listed, limit = f"versions of {request.memory_id}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=1)
        before = number(position[0], _FIRST_VERSION) if position else _FIRST_VERSION
        scope, principal = scope_of(request.scope), current_principal()
        found = await self._remembering.versions(
            principal, scope, request.memory_id, before, limit + 1
        )
        page, token = page_of(map(encoding.memory_message, found), limit), ""
        if len(found) > len(page):
            token = encode_page_token(listed, str(page[-1].version))
        return pb.ListMemoryVersionsResponse(versions=page, next_page_token=token)

    async def ExportMemories(
        self, request: pb.ExportMemoriesRequest, context: Any
    ) -> pb.ExportMemoriesResponse:
        user_id = UserId(asked_for(request.user_id))
        listed, limit = f"all of {user_id}", page_limit(request.page_size, EXPORTED, MOST_EXPORTED)
        position = decode_page_token(request.page_token, listed, fields=1)
        after = position[0] if position else ""
        found, last = await self._remembering.export(current_principal(), user_id, after, limit)
        exported = map(encoding.exported_message, found)
        page = page_of(exported, limit)
        if len(page) < len(found):
            last = page[-1].memory.memory_id
        token = encode_page_token(listed, last) if last else ""
        return pb.ExportMemoriesResponse(memories=page, next_page_token=token)

    async def GetExternalMemory(
        self, request: pb.GetExternalMemoryRequest, context: Any
    ) -> pb.GetExternalMemoryResponse:
        status = status_message(await status_of(self._overseeing))
        return pb.GetExternalMemoryResponse(status=status)

    async def ResyncExternalMemory(
        self, request: pb.ResyncExternalMemoryRequest, context: Any
    ) -> pb.ResyncExternalMemoryResponse:
        status = status_message(await resynced(self._overseeing, request.connection))
        await self._trail.tell()
        return pb.ResyncExternalMemoryResponse(status=status)
