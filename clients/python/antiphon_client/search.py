"""Search: what was said in all conversations that the caller may read."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.memory.v1 import search_service_pb2 as messages
from antiphon_client.caller import Caller

if TYPE_CHECKING:
    from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceAsyncStub


class Search:
    """Finds what was said.

    Errors: AntiphonError, as each RPC's comment says.
    """

    _search: "SearchServiceAsyncStub"
    _caller: Caller

    async def search_messages(
        self,
        query: str,
        *,
        workspace_id: str = "",
        conversation_ids: Sequence[str] = (),
        authors: Sequence[str] = (),
        not_before: datetime | None = None,
        before: datetime | None = None,
        page_size: int = 0,
    ) -> messages.SearchMessagesResponse:
        """The messages that fit a query best, the best first; what is not given limits nothing.

        ``authors`` are ``users/user_…`` or ``handlers/…``; times have to know their zone.
        """
        request = messages.SearchMessagesRequest(
            query=query,
            workspace_id=workspace_id,
            conversation_ids=conversation_ids,
            authors=authors,
            not_before=_timestamp(not_before),
            before=_timestamp(before),
            page_size=page_size,
        )
        return await self._caller.call(self._search.SearchMessages, request)


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    made = Timestamp()
    made.FromDatetime(time)
    return made
