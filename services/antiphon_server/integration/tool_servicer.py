"""ToolService: the contract's messages <-> the rules."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc

from antiphon.integration.v1 import tool_service_pb2 as pb
from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceServicer
from antiphon_server.integration import tool_encoding as encoding
from antiphon_server.integration.money_encoding import price as price_of
from antiphon_server.integration.tools.calls import ToolCaller
from antiphon_server.integration.tools.catalogue import Catalogue
from antiphon_server.integration.tools.model import Caller, Digest, Rule, ToolCallId
from antiphon_server.integration.tools.ports import ResultStore
from antiphon_server.integration.tools.questions import Attendance, Question
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.access.principal import asked_for, asked_with
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors.wire import status_of
from antiphon_server.runtime.rpc.duplex import first_step, not_first, open_stream, serve_duplex
from antiphon_server.runtime.rpc.paging import after_name, page_by_name

MAX_PIECE = 1024 * 1024
"""Bytes of a result that one answer has."""
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ToolServicer(ToolServiceServicer):
    """Serves tools; ``trail`` is told of what admins say of them."""

    def __init__(
        self,
        catalogue: Catalogue,
        caller: ToolCaller,
        results: ResultStore,
        trail: TrailRelay | None = None,
    ) -> None:
        self._catalogue, self._trail = catalogue, trail
        self._results = results
        self._caller = caller

    async def ListTools(
        self, request: pb.ListToolsRequest, context: Context
    ) -> pb.ListToolsResponse:
        listed = f"tools of {request.workspace_id} with {request.query}"
        after = after_name(request.page_token, listed)
        found = await self._catalogue.listed(request.workspace_id, request.query)
        page, next_page = page_by_name(found, encoding.tool, listed, after, request.page_size)
        return pb.ListToolsResponse(tools=page, next_page_token=next_page)

    async def GetTool(self, request: pb.GetToolRequest, context: Context) -> pb.GetToolResponse:
        found = await self._catalogue.get(request.workspace_id, request.name)
        before = await self._catalogue.before(request.workspace_id, found)
        pinned = encoding.definition(before) if before is not None else None
        return pb.GetToolResponse(tool=encoding.tool(found), pinned=pinned)

    async def SetToolRule(
        self, request: pb.SetToolRuleRequest, context: Context
    ) -> pb.SetToolRuleResponse:
        rule = Rule(request.rule)
        tool = await self._catalogue.set_rule(request.workspace_id, request.name, rule)
        await self._tell()
        return pb.SetToolRuleResponse(tool=encoding.tool(tool))

    async def SetToolPrice(
        self, request: pb.SetToolPriceRequest, context: Context
    ) -> pb.SetToolPriceResponse:
        price = price_of(request.price, "price") if request.HasField("price") else None
        tool = await self._catalogue.set_price(request.workspace_id, request.name, price)
        await self._tell()
        return pb.SetToolPriceResponse(tool=encoding.tool(tool))

    async def ApproveTool(
        self, request: pb.ApproveToolRequest, context: Context
    ) -> pb.ApproveToolResponse:
        seen = Digest(request.definition_sha256)
        tool = await self._catalogue.approve(request.workspace_id, request.name, seen)
        await self._tell()
        return pb.ApproveToolResponse(tool=encoding.tool(tool))

    async def CallTool(self, request: pb.CallToolRequest, context: Context) -> pb.CallToolResponse:
        call_id = ToolCallId(new_id("tool"))
        caller = Caller(request.workspace_id, user_id=asked_for(""), api_keys=asked_with(()))
        result = await self._caller.call(caller, call_id, request.name, request.arguments_json)
        return pb.CallToolResponse(result=encoding.result(call_id, result))

    async def ReadToolResult(
        self, request: pb.ReadToolResultRequest, context: Context
    ) -> pb.ReadToolResultResponse:
        call_id, length = ToolCallId(request.tool_call_id), request.length or MAX_PIECE
        where = request.conversation_id, call_id, request.part
        piece = await self._results.read(*where, request.offset, length)
        return encoding.piece(piece)

    async def EraseToolResults(
        self, request: pb.EraseToolResultsRequest, context: Context
    ) -> pb.EraseToolResultsResponse:
        call_ids = [ToolCallId(it) for it in request.tool_call_ids]
        await self._results.erase(request.conversation_id, call_ids, list(request.turn_ids))
        return pb.EraseToolResultsResponse()

    async def PlanTools(
        self, request: pb.PlanToolsRequest, context: Context
    ) -> pb.PlanToolsResponse:
        plan = await self._catalogue.plan(request.workspace_id, request.tools)
        away = map(status_of, plan.away)
        return pb.PlanToolsResponse(tools=map(encoding.planned, plan.tools), away=away)

    async def RunTool(self, request: pb.RunToolRequest, context: Context) -> pb.RunToolResponse:
        call, call_id = request.call, ToolCallId(request.call.tool_call_id)
        caller = _caller(request)
        asked = (caller, call_id, call.tool, call.arguments_json)
        result = await self._caller.call(*asked, Digest(request.tool_sha256))
        return encoding.ended(call_id, result)

    async def ConsultTool(
        self, request: pb.ConsultToolRequest, context: Context
    ) -> pb.ConsultToolResponse:
        asked = request.workspace_id, ToolCallId(new_id("tool")), request.name
        if request.checks_only:
            await self._caller.check(*asked, request.arguments_json)
            return pb.ConsultToolResponse()
        result = await self._caller.consult(*asked, request.arguments_json)
        text = "".join(it.content for it in result.parts if it.kind == "text")
        return pb.ConsultToolResponse(text=text, failed=result.failed)

    async def AttendTool(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        await open_stream(context)
        run: pb.RunToolRequest | None = await first_step(context, "run")
        if run is None:
            return
        attendance = Attendance(_told_on(context), run.state, encoding.answers(run.answers))
        await serve_duplex(_heard(context, attendance), self._attended(run, attendance, context))

    async def _tell(self) -> None:
        if self._trail is not None:
            await self._trail.tell()

    async def _attended(
        self, request: pb.RunToolRequest, attendance: Attendance, context: Context
    ) -> None:
        call, call_id = request.call, ToolCallId(request.call.tool_call_id)
        asked = (_caller(request), call_id, call.tool, call.arguments_json)
        came = await self._caller.attend(*asked, attendance, Digest(request.tool_sha256))
        await context.write(pb.AttendToolResponse(ended=encoding.ended(call_id, came)))


def _caller(request: pb.RunToolRequest) -> Caller:
    models = tuple(request.models)
    where = request.workspace_id, request.conversation_id, request.turn_id
    return Caller(*where, models, request.attempt, request.user_id, tuple(request.api_keys))


def _told_on(context: Context) -> Callable[[Question], Awaitable[None]]:
    """Tells whoever attends a question."""

    async def tell(question: Question) -> None:
        await context.write(pb.AttendToolResponse(question=encoding.question(question)))

    return tell


async def _heard(context: Context, attendance: Attendance) -> None:
    """Take the answers of whoever attends."""
    while (request := await context.read()) is not grpc.aio.EOF:
        if not request.HasField("answer"):
            raise not_first("run")
        attendance.take(*encoding.answer(request.answer))
