"""SearchService: decode, call, encode."""

from typing import Any

from antiphon.memory.v1 import search_service_pb2 as pb
from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceServicer
from antiphon_server.memory.encoding import recall as recall_encoding
from antiphon_server.memory.encoding import search as encoding
from antiphon_server.memory.search.recalling import Recalling
from antiphon_server.memory.search.searching import Searching
from antiphon_server.runtime.access.principal import current_principal


class SearchServicer(SearchServiceServicer):
    """The RPCs of ``antiphon.memory.v1.SearchService``."""

    def __init__(self, searching: Searching, recalling: Recalling) -> None:
        self._searching, self._recalling = searching, recalling

    async def SearchMessages(
        self, request: pb.SearchMessagesRequest, context: Any
    ) -> pb.SearchMessagesResponse:
        answer = await self._searching.search(current_principal(), encoding.wish_of(request))
        return encoding.response_of(answer)

    async def Recall(self, request: pb.RecallRequest, context: Any) -> pb.RecallResponse:
        wish = recall_encoding.wish_of(request)
        found = await self._recalling.recall(current_principal(), wish)
        return recall_encoding.response_of(found)
