"""HandoffService: the contract's messages <-> what waits for people."""

from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import handoff_service_pb2 as pb
from antiphon.dispatcher.v1.handoff_service_pb2_grpc import HandoffServiceServicer
from antiphon_server.dispatcher.calls import Caller
from antiphon_server.dispatcher.handoff_calls import HandoffCalls
from antiphon_server.dispatcher.handoff_encoding import queued_message
from antiphon_server.dispatcher.handoff_readers import HandoffReaders
from antiphon_server.dispatcher.ports import HandoffQueue
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class HandoffServicer(HandoffServiceServicer):
    """Serves those who may answer for others."""

    def __init__(self, calls: HandoffCalls, queue: HandoffQueue, readers: HandoffReaders) -> None:
        self._calls, self._queue, self._readers = calls, queue, readers

    async def HandOffTurn(
        self, request: pb.HandOffTurnRequest, context: Context
    ) -> pb.HandOffTurnResponse:
        return await self._calls.hand_off(request, Caller.of(context))

    async def ListHandoffs(
        self, request: pb.ListHandoffsRequest, context: Context
    ) -> pb.ListHandoffsResponse:
        listed, limit = f"handoffs of {request.workspace_id}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=2)
        after = (number(position[0]), position[1]) if position else (0, "")
        found = await self._queue.list(request.workspace_id, after, limit + 1)
        page, more = found[:limit], found[limit:]
        last = page[-1].handoff if more else None
        token = encode_page_token(listed, str(last.created_us), last.handoff_id) if last else ""
        shown = await self._readers.among(page, current_principal(), request.workspace_id)
        return pb.ListHandoffsResponse(handoffs=map(queued_message, shown), next_page_token=token)

    async def ClaimHandoff(
        self, request: pb.ClaimHandoffRequest, context: Context
    ) -> pb.ClaimHandoffResponse:
        return await self._calls.claim(request, Caller.of(context))

    async def ReleaseHandoff(
        self, request: pb.ReleaseHandoffRequest, context: Context
    ) -> pb.ReleaseHandoffResponse:
        return await self._calls.release(request, Caller.of(context))

    async def AnswerHandoff(
        self, request: pb.AnswerHandoffRequest, context: Context
    ) -> pb.AnswerHandoffResponse:
        return await self._calls.reply(request, Caller.of(context))

    async def ReturnHandoff(
        self, request: pb.ReturnHandoffRequest, context: Context
    ) -> pb.ReturnHandoffResponse:
        return await self._calls.give_back(request, Caller.of(context))

    async def DeclineHandoff(
        self, request: pb.DeclineHandoffRequest, context: Context
    ) -> pb.DeclineHandoffResponse:
        return await self._calls.decline(request, Caller.of(context))
