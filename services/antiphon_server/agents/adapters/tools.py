"""Tools, through the service that owns them, and what models are told of their calls."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from antiphon.context.v1 import message_pb2
from antiphon.integration.v1 import integration_service_pb2, tool_pb2, tool_service_pb2
from antiphon_server.agents.ports import PlannedTool, Round, ToolPlan
from antiphon_server.dispatcher.handling import (
    Answer,
    Attendance,
    CallOutcome,
    CallPaused,
    CallResult,
    Question,
    QuestionId,
    ToolCall,
    ToolCallFinished,
    Turn,
)
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.waits import in_words
from antiphon_server.runtime.errors.wire import domain_error_of_status, remote_errors, status_of

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceAsyncStub

TIMEOUT_S = 30.0
ASKING_S = 1500.0
"""So much longer a call may take that asks people: a turn's time stands still meanwhile."""
KEPT = "antiphon:"
"""So begin references to what is kept of results."""


class IntegrationTools:
    """See :class:`~antiphon_server.agents.ports.Tools`."""

    def __init__(self, tools: "ToolServiceAsyncStub") -> None:
        self._tools = tools

    async def plan(self, turn: Turn, names: Sequence[str]) -> ToolPlan:
        request = tool_service_pb2.PlanToolsRequest(workspace_id=turn.workspace_id, tools=names)
        with remote_errors("integration"):
            response = await self._tools.PlanTools(request, timeout=TIMEOUT_S)
        away = {it.metadata["connection"]: it for it in map(domain_error_of_status, response.away)}
        asked = ((name, away.get(name.partition(".")[0])) for name in names)
        of_names = {name: error for name, error in asked if error is not None}
        return ToolPlan([_planned(it) for it in response.tools], of_names)

    async def run(
        self, turn: Turn, call: ToolCall, attendance: Attendance
    ) -> CallResult | CallPaused:
        resumed = attendance.resumed
        request = tool_service_pb2.RunToolRequest(
            workspace_id=turn.workspace_id,
            conversation_id=turn.conversation_id,
            turn_id=turn.turn_id,
            user_id=turn.user_id,
            api_keys=turn.api_keys,
            call=_call(call),
            models=turn.order.models,
            state=resumed.state,
            answers=map(_answer, resumed.answers),
            attempt=turn.attempt,
            tool_sha256=call.tool_digest,
        )
        limit_s = turn.order.time_limit_s
        try:
            with remote_errors("integration"):
                ended = await self._attended(request, attendance, limit_s + ASKING_S)
        except DomainError as error:
            if error.reason is Reason.SERVICE_UNAVAILABLE:  # it may have made the call
                raise DomainError(Reason.TOOL_CALL_LOST, tool=call.tool) from error
            if error.reason is not Reason.UNIMPLEMENTED or resumed.state:
                raise
            with remote_errors("integration"):  # of the version before: nothing was begun
                ended = await self._tools.RunTool(request, timeout=limit_s)
        return _came(ended)

    async def _attended(
        self, request: tool_service_pb2.RunToolRequest, attendance: Attendance, timeout_s: float
    ) -> tool_service_pb2.RunToolResponse:
        """Make the call, and have people answer what its tool asks meanwhile."""
        stream = self._tools.AttendTool(timeout=timeout_s)
        try:
            await stream.write(tool_service_pb2.AttendToolRequest(run=request))
            async for said in stream:
                if said.HasField("ended"):
                    return said.ended
                answer = _answer(await attendance.ask(_question(said.question)))
                with suppress(asyncio.InvalidStateError):  # it is over; its status says why
                    await stream.write(tool_service_pb2.AttendToolRequest(answer=answer))
        finally:
            stream.cancel()
        raise DomainError(Reason.SERVICE_UNAVAILABLE, service="integration")


def _came(ended: tool_service_pb2.RunToolResponse) -> CallResult | CallPaused:
    if ended.HasField("pause"):
        return CallPaused(tuple(map(_question, ended.pause.questions)), ended.pause.state)
    result = ended.result
    content = message_pb2.Message(parts=result.parts).SerializeToString(deterministic=True)
    return CallResult(content, result.failed, result.omitted_bytes, result.kept)


def _question(it: tool_pb2.ToolQuestion) -> Question:
    return Question(QuestionId(it.question_id), it.message, it.schema_json, it.url)


def _answer(it: Answer) -> tool_pb2.ToolAnswer:
    action = tool_pb2.ToolAnswerAction.ValueType(it.action)
    return tool_pb2.ToolAnswer(question_id=it.question_id, action=action, content_json=it.content)


def _planned(it: tool_service_pb2.PlannedTool) -> PlannedTool:
    told = it.definition
    what = told.name, told.description, told.input_schema_json
    return PlannedTool(*what, it.asks, it.repeatable, it.tool_sha256)


def definition(tool: PlannedTool) -> tool_pb2.ToolDefinition:
    """What a model is told of a tool."""
    return tool_pb2.ToolDefinition(
        name=tool.name, description=tool.description, input_schema_json=tool.schema
    )


def round_messages(it: Round) -> Iterator[integration_service_pb2.PromptMessage]:
    """What a model said and asked for, and what came of it, as a prompt has them."""
    yield integration_service_pb2.PromptMessage(
        role=message_pb2.MESSAGE_ROLE_ASSISTANT,
        parts=[message_pb2.Part(text=it.text)] if it.text else [],
        tool_calls=map(_call, it.calls),
    )
    for call, end in zip(it.calls, it.ends, strict=True):
        yield integration_service_pb2.PromptMessage(
            role=message_pb2.MESSAGE_ROLE_USER, tool_result=_result(call, end)
        )


def _call(call: ToolCall) -> tool_pb2.ToolCall:
    return tool_pb2.ToolCall(
        tool_call_id=call.call_id, tool=call.tool, arguments_json=call.arguments
    )


def _result(call: ToolCall, end: ToolCallFinished) -> tool_pb2.ToolResult:
    parts = [_told(it) for it in message_pb2.Message.FromString(end.content).parts]
    parts.extend(message_pb2.Part(text=text) for text in _notes(end))
    return tool_pb2.ToolResult(
        tool_call_id=call.call_id,
        parts=parts,
        failed=end.outcome is not CallOutcome.SUCCEEDED,
        omitted_bytes=end.omitted_bytes,
    )


def _told(part: message_pb2.Part) -> message_pb2.Part:
    """A part as all models take it in a result: what is no text is said in words."""
    kind = part.WhichOneof("content")
    if kind is None or kind == "text":
        return part
    it: message_pb2.Reference = getattr(part, kind)
    if it.uri.startswith(KEPT):
        return message_pb2.Part(text=f"[{kind}, {it.media_type}: people see it, you can't]")
    return message_pb2.Part(text=f"[{kind}, {it.media_type or 'of an unknown type'}: {it.uri}]")


def _notes(end: ToolCallFinished) -> Iterator[str]:
    """What a model is told beside a result."""
    if end.error is not None:
        yield status_of(end.error).message
        if why := end.error.metadata.get("why"):
            yield f"The reason given: {why}"
        if end.error.retry_after:
            yield f"It may be tried again in {in_words(end.error.retry_after)}."
    if end.omitted_bytes:
        where = f" antiphon.result reads on: call_id {end.call_id}" if end.kept else ""
        yield f"({end.omitted_bytes} bytes more were left out.{where})"
