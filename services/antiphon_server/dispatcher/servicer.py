"""DispatcherService: the contract's messages <-> the dispatcher's rules."""

from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceServicer
from antiphon_server.dispatcher.conversing import Conversings
from antiphon_server.dispatcher.encoding import (
    digest_of,
    handler_message,
    order_of,
    turn_message,
)
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.model import ConversationId, TurnId
from antiphon_server.dispatcher.turns import Turns
from antiphon_server.runtime.ids import new_id
from antiphon_server.runtime.paging import decode_page_token, encode_page_token, number, page_limit
from antiphon_server.runtime.principal import current_principal

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class DispatcherServicer(DispatcherServiceServicer):
    """Serves the dispatcher."""

    def __init__(self, turns: Turns, handlers: Handlers, conversings: Conversings) -> None:
        self._turns = turns
        self._handlers = handlers
        self._conversings = conversings

    async def Dispatch(self, request: pb.DispatchRequest, context: Context) -> pb.DispatchResponse:
        turn = await self._turns.dispatch(
            current_principal(),
            ConversationId(request.conversation_id),
            TurnId(request.turn_id or new_id("turn")),
            order_of(request),
            digest_of(request),
        )
        return pb.DispatchResponse(turn=turn_message(turn), cursor=turn.cursor)

    async def GetTurn(self, request: pb.GetTurnRequest, context: Context) -> pb.GetTurnResponse:
        turn = await self._turns.get(
            ConversationId(request.conversation_id), TurnId(request.turn_id)
        )
        return pb.GetTurnResponse(turn=turn_message(turn))

    async def ListTurns(
        self, request: pb.ListTurnsRequest, context: Context
    ) -> pb.ListTurnsResponse:
        listed = f"turns of {request.conversation_id}"
        position = decode_page_token(request.page_token, listed, fields=2)
        before = (number(position[0]), position[1]) if position else None
        limit = page_limit(request.page_size)
        turns = await self._turns.list(ConversationId(request.conversation_id), before, limit + 1)
        page, more = turns[:limit], turns[limit:]
        last = page[-1] if more else None
        token = encode_page_token(listed, str(last.created_us), last.turn_id) if last else ""
        return pb.ListTurnsResponse(
            turns=[turn_message(turn) for turn in page], next_page_token=token
        )

    async def CancelTurn(
        self, request: pb.CancelTurnRequest, context: Context
    ) -> pb.CancelTurnResponse:
        turn = await self._turns.cancel(
            ConversationId(request.conversation_id),
            TurnId(request.turn_id),
            current_principal().actor,
        )
        return pb.CancelTurnResponse(turn=turn_message(turn))

    async def Converse(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        await self._conversings.converse(current_principal(), context)

    async def ListHandlers(
        self, request: pb.ListHandlersRequest, context: Context
    ) -> pb.ListHandlersResponse:
        position = decode_page_token(request.page_token, "handlers", fields=1)
        start = number(position[0]) if position else 0
        end = start + page_limit(request.page_size)
        infos = self._handlers.infos()
        return pb.ListHandlersResponse(
            handlers=[handler_message(info) for info in infos[start:end]],
            next_page_token=encode_page_token("handlers", str(end)) if end < len(infos) else "",
        )
