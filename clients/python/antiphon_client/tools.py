"""Tools: which there are, whether they may be called, and calling them."""

import json
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

from antiphon.integration.v1 import tool_service_pb2 as messages
from antiphon.integration.v1.tool_pb2 import Tool, ToolResult, ToolRule
from antiphon_client.caller import Caller, pages

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
        """Call a tool; cancelling it stops the call. It is not repeated: it might run twice."""
        request = messages.CallToolRequest(
            workspace_id=workspace_id, name=name, arguments_json=json.dumps(arguments or {})
        )
        return (await self._caller.call(self._tools.CallTool, request)).result
