"""SummaryService: decode, call, encode."""

from typing import Any

from antiphon.memory.v1 import summary_service_pb2 as pb
from antiphon.memory.v1.summary_service_pb2_grpc import SummaryServiceServicer
from antiphon_server.memory.encoding.summaries import summary_message
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.summaries.model import Node
from antiphon_server.memory.summaries.reading import Reading
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
)

DEFAULT_SUMMARIES, MOST_SUMMARIES = 50, 100
MOST_NUMBER = 2**31 - 1


class SummaryServicer(SummaryServiceServicer):
    """The RPCs of ``antiphon.memory.v1.SummaryService``."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def ListSummaries(
        self, request: pb.ListSummariesRequest, context: Any
    ) -> pb.ListSummariesResponse:
        where = ConversationId(request.conversation_id)
        level = request.level if request.HasField("level") else None
        limit = page_limit(request.page_size, default=DEFAULT_SUMMARIES, most=MOST_SUMMARIES)
        listed = f"summaries of {where} of level {level}"
        place = decode_page_token(request.page_token, listed, fields=2)
        after = Node(*(number(it, MOST_NUMBER) for it in place)) if place else None
        found = await self._reading.listed(current_principal(), where, level, after, limit)
        last = found.last
        return pb.ListSummariesResponse(
            summaries=[summary_message(where, it) for it in found.summaries],
            next_page_token=encode_page_token(listed, *map(str, last)) if last else "",
            pending_summaries=found.pending,
        )
