"""DispatcherService: the contract's messages <-> the dispatcher's rules."""

from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceServicer
from antiphon_server.dispatcher.calls import Caller, Openings, TurnCalls
from antiphon_server.dispatcher.conversing import Conversings
from antiphon_server.dispatcher.encoding import grant_of, handler_message
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.model import ConversationId, TurnId
from antiphon_server.dispatcher.ports import Gatekeeper, TurnStore
from antiphon_server.runtime.access.grants import RunningTurns
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
    page_of,
)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class DispatcherServicer(DispatcherServiceServicer):
    """Serves the dispatcher."""

    def __init__(
        self,
        calls: TurnCalls,
        handlers: Handlers,
        conversings: Conversings,
        openings: Openings,
        running: RunningTurns,
        gatekeeper: Gatekeeper,
        store: TurnStore | None = None,
    ) -> None:
        self._store = store
        self._gatekeeper = gatekeeper
        self._calls = calls
        self._handlers = handlers
        self._conversings = conversings
        self._openings = openings
        self._running = running

    async def Dispatch(self, request: pb.DispatchRequest, context: Context) -> pb.DispatchResponse:
        caller = Caller.of(context)
        return await self._calls.dispatch(await self._openings.opened(request, caller), caller)

    async def GetTurn(self, request: pb.GetTurnRequest, context: Context) -> pb.GetTurnResponse:
        return await self._calls.get(request, Caller.of(context))

    async def ListTurns(
        self, request: pb.ListTurnsRequest, context: Context
    ) -> pb.ListTurnsResponse:
        return await self._calls.list(request, Caller.of(context))

    async def CancelTurn(
        self, request: pb.CancelTurnRequest, context: Context
    ) -> pb.CancelTurnResponse:
        return await self._calls.cancel(request, Caller.of(context))

    async def DecideToolCall(
        self, request: pb.DecideToolCallRequest, context: Context
    ) -> pb.DecideToolCallResponse:
        return await self._calls.decide(request, Caller.of(context))

    async def AnswerToolCall(
        self, request: pb.AnswerToolCallRequest, context: Context
    ) -> pb.AnswerToolCallResponse:
        return await self._calls.answer(request, Caller.of(context))

    async def Converse(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        await self._conversings.converse(current_principal(), context)

    async def CheckGrant(
        self, request: pb.CheckGrantRequest, context: Context
    ) -> pb.CheckGrantResponse:
        runs = await self._running.runs(grant_of(request), or_later=request.or_later)
        return pb.CheckGrantResponse(runs=runs)

    async def EraseTurns(
        self, request: pb.EraseTurnsRequest, context: Context
    ) -> pb.EraseTurnsResponse:
        if self._store is None:
            raise DomainError(Reason.UNIMPLEMENTED)
        turn_ids = [TurnId(it) for it in request.turn_ids]
        await self._store.erase(ConversationId(request.conversation_id), turn_ids)
        return pb.EraseTurnsResponse()

    async def ListHandlers(
        self, request: pb.ListHandlersRequest, context: Context
    ) -> pb.ListHandlersResponse:
        workspace_id = request.workspace_id
        if workspace_id:
            await self._gatekeeper.check_read(current_principal(), workspace_id)
        listed = f"handlers {workspace_id}"
        position = decode_page_token(request.page_token, listed, fields=1)
        start = number(position[0]) if position else 0
        infos = await self._handlers.infos(workspace_id)
        page = page_of(map(handler_message, infos[start:]), page_limit(request.page_size))
        end = start + len(page)
        token = encode_page_token(listed, str(end)) if end < len(infos) else ""
        return pb.ListHandlersResponse(handlers=page, next_page_token=token)
