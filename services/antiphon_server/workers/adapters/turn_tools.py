"""The tools of a turn's conversation, called as an agent's are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2
from antiphon_server.agents.adapters.tools import IntegrationTools
from antiphon_server.agents.ports import ToolPlan
from antiphon_server.agents.rounds import asked, garbled
from antiphon_server.dispatcher.handling import (
    AskedCall,
    Attendance,
    CallPaused,
    CallResult,
    ToolCall,
    Turn,
)
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 30.0


class ConversationTools:
    """See :class:`~antiphon_server.workers.ports.Tools`."""

    def __init__(self, context: "ContextServiceAsyncStub", tools: IntegrationTools) -> None:
        self._context, self._tools = context, tools

    async def planned(self, turn: Turn, calls: Sequence[ToolCall]) -> Sequence[AskedCall]:
        request = context_service_pb2.GetConversationRequest(conversation_id=turn.conversation_id)
        with remote_errors("context"):
            response = await self._context.GetConversation(request, timeout=TIMEOUT_S)
        names = response.conversation.tools
        plan = await self._tools.plan(turn, names) if names else ToolPlan()
        return [_planned(call, plan) for call in calls]

    async def run(
        self, turn: Turn, call: ToolCall, attendance: Attendance
    ) -> CallResult | CallPaused:
        return await self._tools.run(turn, call, attendance)


def _planned(call: ToolCall, plan: ToolPlan) -> AskedCall:
    told = plan.named(call.tool)
    bound = told.digest if told is not None and told.asks else b""
    return asked(replace(call, tool_digest=bound), plan, garbled(call.tool, call.arguments))
