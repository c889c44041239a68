"""Tools: which there are, whether they may be called, and calling them."""

import json
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

from antiphon.integration.v1 import tool_service_pb2 as messages
from antiphon.integration.v1.model_pb2 import Money
from antiphon.integration.v1.tool_pb2 import Tool, ToolResult, ToolRule
from antiphon_client.caller import TOOL_DEADLINE_S, Caller, pages

if TYPE_CHECKING:
    from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceAsyncStub


class Tools:
    """The tool service. Errors: AntiphonError, as each RPC's comment says."""

    _tools: "ToolServiceAsyncStub"
    _caller: Caller

    def list_tools(self, workspace_id: str, query: str = "") -> AsyncGenerator[Tool]:
        """A workspace's tools by name; with a ``query`` those that have all its words."""

        async def fetch(page_token: str) -> messages.ListToolsResponse:
            request = messages.ListToolsRequest(
                workspace_id=workspace_id, query=query, page_token=page_token
            )
            return await self._caller.call(self._tools.ListTools, request)

        return pages(fetch, lambda page: page.tools)

    async def get_tool(self, workspace_id: str, name: str) -> Tool:
        """One tool."""
        request = messages.GetToolRequest(workspace_id=workspace_id, name=name)
        return (await self._caller.call(self._tools.GetTool, request)).tool

    async def set_tool_rule(self, workspace_id: str, name: str, rule: ToolRule.ValueType) -> Tool:
        """Say whether a tool may be called in a workspace: always, on approval, never."""
        request = messages.SetToolRuleRequest(workspace_id=workspace_id, name=name, rule=rule)
        return (await self._caller.call(self._tools.SetToolRule, request)).tool

    async def set_tool_price(self, workspace_id: str, name: str, price: Money | None) -> Tool:
        """Say what each call of a tool costs in a workspace; None for nothing."""
        request = messages.SetToolPriceRequest(workspace_id=workspace_id, name=name, price=price)
        return (await self._caller.call(self._tools.SetToolPrice, request)).tool

    async def compare_tool(self, workspace_id: str, name: str) -> tuple[Tool, Tool | None]:
        """One tool, and what it was before if it is held."""
        request = messages.GetToolRequest(workspace_id=workspace_id, name=name)
        response = await self._caller.call(self._tools.GetTool, request)
        return response.tool, response.pinned if response.HasField("pinned") else None

    async def approve_tool(self, workspace_id: str, seen: Tool) -> Tool:
        """Take a tool as it was ``seen``, so that it is no longer held."""
        request = messages.ApproveToolRequest(
            workspace_id=workspace_id, name=seen.name, definition_sha256=seen.definition_sha256
        )
        return (await self._caller.call(self._tools.ApproveTool, request)).tool

    async def call_tool(
        self, workspace_id: str, name: str, arguments: Mapping[str, object] | None = None
    ) -> ToolResult:
        """Call a tool; cancelling it stops the call. It is not repeated: it might run twice.

        How long it may take is the server's to say, which ends it with TOOL_TIMEOUT.
        """
        request = messages.CallToolRequest(
            workspace_id=workspace_id, name=name, arguments_json=json.dumps(arguments or {})
        )
        called = await self._caller.call(self._tools.CallTool, request, TOOL_DEADLINE_S)
        return called.result

    async def read_tool_result(
        self, conversation_id: str, tool_call_id: str, part: int = 0, offset: int = 0
    ) -> messages.ReadToolResultResponse:
        """Read up to 1 MiB of a result that is kept whole, from ``offset`` bytes on."""
        request = messages.ReadToolResultRequest(
            conversation_id=conversation_id, tool_call_id=tool_call_id, part=part, offset=offset
        )
        return await self._caller.call(self._tools.ReadToolResult, request)

    async def tool_result_data(
        self, conversation_id: str, tool_call_id: str, part: int = 0
    ) -> AsyncGenerator[bytes]:
        """All bytes of a part of a result that is kept whole, in pieces of 1 MiB at most."""
        offset = 0
        while True:
            piece = await self.read_tool_result(conversation_id, tool_call_id, part, offset)
            if piece.data:
                yield piece.data
            offset += len(piece.data)
            if not piece.data or offset >= piece.size_bytes:
                return
