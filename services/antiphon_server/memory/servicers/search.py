"""SearchService: decode, call, encode."""

from typing import Any

from antiphon.memory.v1 import search_service_pb2 as pb
from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceServicer
from antiphon_server.memory import encoding
from antiphon_server.memory.service.searching import Searching
from antiphon_server.runtime.access.principal import current_principal


class SearchServicer(SearchServiceServicer):
    """The RPCs of ``antiphon.memory.v1.SearchService``."""

    def __init__(self, searching: Searching) -> None:
        self._searching = searching

    async def SearchMessages(
        self, request: pb.SearchMessagesRequest, context: Any
    ) -> pb.SearchMessagesResponse:
        answer = await self._searching.search(current_principal(), encoding.wish_of(request))
        return encoding.response_of(answer)
