"""The tool by which a model hands its turn to people, beside all others."""

from collections.abc import Sequence

from antiphon.context.v1 import message_pb2
from antiphon_server.agents.handing import TOOL, order_from
from antiphon_server.agents.ports import ToolPlan, Tools
from antiphon_server.dispatcher.handling import (
    Attendance,
    CallPaused,
    CallResult,
    ToolCall,
    Turn,
)

_TOLD = "People have it now, and will answer. Say nothing more."


class HandingTools(Tools):
    """Tools of an agent's own turns, which it hands off itself: none of a service's can."""

    def __init__(self, others: Tools) -> None:
        self._others = others

    async def plan(self, turn: Turn, names: Sequence[str]) -> ToolPlan:
        """See :meth:`Tools.plan`; rules and names are of this tool as of all others."""
        return await self._others.plan(turn, names)

    async def run(
        self, turn: Turn, call: ToolCall, attendance: Attendance
    ) -> CallResult | CallPaused:
        """See :meth:`Tools.run`."""
        if call.tool != TOOL:
            return await self._others.run(turn, call, attendance)
        order_from(call.arguments)
        told = message_pb2.Message(parts=[message_pb2.Part(text=_TOLD)])
        return CallResult(told.SerializeToString(deterministic=True))
