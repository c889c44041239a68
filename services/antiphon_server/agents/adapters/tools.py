"""Tools, through the service that owns them, and what models are told of their calls."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from antiphon.context.v1 import message_pb2
from antiphon.integration.v1 import integration_service_pb2, tool_pb2, tool_service_pb2
from antiphon_server.agents.ports import PlannedTool, Round
from antiphon_server.dispatcher.handling import (
    CallOutcome,
    CallResult,
    ToolCall,
    ToolCallFinished,
    Turn,
)
from antiphon_server.runtime.errors.wire import remote_errors, status_of

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceAsyncStub

TIMEOUT_S = 30.0


class IntegrationTools:
    """See :class:`~antiphon_server.agents.ports.Tools`."""

    def __init__(self, tools: "ToolServiceAsyncStub") -> None:
        self._tools = tools

    async def plan(self, turn: Turn, names: Sequence[str]) -> Sequence[PlannedTool]:
        request = tool_service_pb2.PlanToolsRequest(workspace_id=turn.workspace_id, tools=names)
        with remote_errors("integration"):
            response = await self._tools.PlanTools(request, timeout=TIMEOUT_S)
        return [_planned(it) for it in response.tools]

    async def run(self, turn: Turn, call: ToolCall) -> CallResult:
        request = tool_service_pb2.RunToolRequest(
            workspace_id=turn.workspace_id,
            conversation_id=turn.conversation_id,
            turn_id=turn.turn_id,
            call=_call(call),
        )
        with remote_errors("integration"):
            response = await self._tools.RunTool(request, timeout=turn.order.time_limit_s)
        result = response.result
        content = message_pb2.Message(parts=result.parts).SerializeToString(deterministic=True)
        return CallResult(content, result.failed, result.omitted_bytes)


def _planned(it: tool_service_pb2.PlannedTool) -> PlannedTool:
    told = it.definition
    return PlannedTool(told.name, told.description, told.input_schema_json, it.asks, it.repeatable)


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
    parts = list(message_pb2.Message.FromString(end.content).parts)
    parts.extend(message_pb2.Part(text=text) for text in _notes(end))
    return tool_pb2.ToolResult(
        tool_call_id=call.call_id,
        parts=parts,
        failed=end.outcome is not CallOutcome.SUCCEEDED,
        omitted_bytes=end.omitted_bytes,
    )


def _notes(end: ToolCallFinished) -> Iterator[str]:
    """What a model is told beside a result."""
    if end.error is not None:
        yield status_of(end.error).message
        if why := end.error.metadata.get("why"):
            yield f"The reason given: {why}"
    if end.omitted_bytes:
        yield f"({end.omitted_bytes} bytes more were left out.)"
