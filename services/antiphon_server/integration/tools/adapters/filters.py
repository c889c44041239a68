"""Filters that look at what tools return, through the service that has them."""

from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon.context.v1 import filter_pb2, filter_service_pb2
from antiphon.context.v1.message_pb2 import Part
from antiphon_server.integration.tools.model import Caller, Result, ResultPart, ToolCallId
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceAsyncStub

TIMEOUT_S = 120.0
"""Each of many filters may take 30 s."""


class FilterServiceScreen:
    """See :class:`~antiphon_server.integration.tools.ports.ScreensResults`."""

    def __init__(self, filters: "FilterServiceAsyncStub") -> None:
        self._filters = filters

    async def screened(self, caller: Caller, call_id: ToolCallId, result: Result) -> Result:
        """See :meth:`ScreensResults.screened`. Data is no text: nobody looks at it."""
        request = filter_service_pb2.ScreenRequest(
            workspace_id=caller.workspace_id,
            conversation_id=caller.conversation_id,
            stage=filter_pb2.FILTER_STAGE_TOOL_RESULT,
            author=f"users/{caller.user_id}" if caller.user_id else "",
            turn_id=caller.turn_id,
            tool_call_id=call_id,
            parts=[Part(text=it.content) for it in result.parts if _is_looked_at(it)],
        )
        with remote_errors("context"):
            left = await self._filters.Screen(request, timeout=TIMEOUT_S)
        if left.action != filter_pb2.FILTER_ACTION_SANITISE:
            return result
        texts = iter([part.text for part in left.parts])
        parts = [_with(it, next(texts)) if _is_looked_at(it) else it for it in result.parts]
        return replace(result, parts=tuple(parts), structured=None)


def _is_looked_at(part: ResultPart) -> bool:
    return part.kind == "text" or not part.content.startswith("data:")


def _with(part: ResultPart, text: str) -> ResultPart:
    """One whose address is another is no reference any more."""
    return part if part.content == text else ResultPart("text", text)
