"""What was said in conversations, through the service that finds it."""

from typing import TYPE_CHECKING

from antiphon.memory.v1 import search_service_pb2 as pb
from antiphon_server.integration.tools.ports import Found, FoundMessage
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceAsyncStub

TIMEOUT_S = 10.0


class ServedSearches:
    """See :class:`~antiphon_server.integration.tools.ports.Searches`."""

    def __init__(self, search: "SearchServiceAsyncStub") -> None:
        self._search = search

    async def search(self, conversation_id: str, query: str, limit: int) -> Found:
        request = pb.SearchMessagesRequest(
            query=query, conversation_ids=[conversation_id], page_size=limit
        )
        with remote_errors("memory"):
            answer = await self._search.SearchMessages(request, timeout=TIMEOUT_S)
        return Found(
            [
                FoundMessage(
                    it.message.author,
                    it.excerpt,
                    it.message.create_time.ToJsonString(),
                    it.message.turn_id,
                )
                for it in answer.hits
            ],
            is_whole=not answer.pending_conversations,
        )
