"""WhiteboardService: decode, call, encode."""

from typing import Any

from antiphon.memory.v1 import whiteboard_service_pb2 as pb
from antiphon.memory.v1.whiteboard_service_pb2_grpc import WhiteboardServiceServicer
from antiphon_server.memory.encoding import whiteboard as encoding
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.whiteboard.whiteboards import Whiteboards
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
    page_of,
)

DEFAULT_VERSIONS, MOST_VERSIONS = 20, 100


class WhiteboardServicer(WhiteboardServiceServicer):
    """The RPCs of ``antiphon.memory.v1.WhiteboardService``."""

    def __init__(self, whiteboards: Whiteboards) -> None:
        self._whiteboards = whiteboards

    async def GetWhiteboard(
        self, request: pb.GetWhiteboardRequest, context: Any
    ) -> pb.GetWhiteboardResponse:
        found = await self._whiteboards.get(ConversationId(request.conversation_id))
        return pb.GetWhiteboardResponse(whiteboard=encoding.whiteboard_message(found))

    async def WriteSection(
        self, request: pb.WriteSectionRequest, context: Any
    ) -> pb.WriteSectionResponse:
        caller = current_principal()
        wish, key = encoding.wish_of(request, caller), encoding.request_of(request, caller)
        section = await self._whiteboards.write(wish, key)
        return pb.WriteSectionResponse(section=encoding.section_message(section))

    async def DeleteSection(
        self, request: pb.DeleteSectionRequest, context: Any
    ) -> pb.DeleteSectionResponse:
        where, caller = ConversationId(request.conversation_id), current_principal()
        who = encoding.writer_of(caller, encoding.turn_of(caller, request.turn_id))
        await self._whiteboards.delete(where, request.name, request.etag, who)
        return pb.DeleteSectionResponse()

    async def ListSectionVersions(
        self, request: pb.ListSectionVersionsRequest, context: Any
    ) -> pb.ListSectionVersionsResponse:
        where, name = ConversationId(request.conversation_id), request.name
        listed = f"versions of {name} on the whiteboard of {where}"
        place = decode_page_token(request.page_token, listed, fields=1)
        limit = page_limit(request.page_size, DEFAULT_VERSIONS, MOST_VERSIONS)
        before = number(place[0]) if place else 0
        found = await self._whiteboards.versions(where, name, before, limit + 1)
        page = page_of(map(encoding.section_message, found), limit)
        is_last = len(page) == len(found)
        token = "" if is_last else encode_page_token(listed, str(page[-1].version))
        return pb.ListSectionVersionsResponse(versions=page, next_page_token=token)

    async def KeepWhiteboard(
        self, request: pb.KeepWhiteboardRequest, context: Any
    ) -> pb.KeepWhiteboardResponse:
        where, who = ConversationId(request.conversation_id), current_principal().actor
        found = await self._whiteboards.keep(where, request.kept, who)
        return pb.KeepWhiteboardResponse(whiteboard=encoding.whiteboard_message(found))
