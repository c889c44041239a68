"""What a tool says of itself is looked at before a workspace takes it: models are told of it."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from antiphon.context.v1.context_service_pb2 import CreateWorkspaceRequest
from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_FLAG,
    FILTER_ACTION_HOLD,
    FILTER_ACTION_SANITISE,
    Filter,
    FilterAction,
    TermsFilter,
)
from antiphon.integration.v1.tool_pb2 import TOOL_STATE_AVAILABLE, TOOL_STATE_HELD
from antiphon_client import Client
from tests.e2e.callers import channel_to, operator
from tests.e2e.calls import Calls
from tests.e2e.entrances.entrance import reason_of
from tests.e2e.server import ServerProcess
from tests.e2e.test_filters_results import tools_served
from tests.fakes.tool_server import Tools

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORD = "falcon"
HARMLESS = {"type": "object", "properties": {"key": {"type": "string"}}}
TOLD: dict[str, dict[str, Any]] = {
    "described": {"description": f"Asks a {WORD}.", "inputSchema": HARMLESS},
    "titled": {"title": f"The {WORD}", "inputSchema": HARMLESS},
    "named": {"inputSchema": {"type": "object", "properties": {WORD: {"type": "string"}}}},
    "chosen": {"inputSchema": HARMLESS, "outputSchema": {"type": "object", "default": {"a": WORD}}},
}


class _Describing(Tools):
    async def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        if method != "tools/list":
            return await super()._result(method, params)
        tools = [{"name": name, **told} for name, told in TOLD.items()]
        return {"tools": tools, "ttlMs": 0, "cacheScope": "private"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A server with a connection to the tools."""

    client: Client
    calls: Calls

    async def stand(self, action: FilterAction.ValueType, word: str = WORD) -> str:
        """A new workspace behind a filter of a word."""
        creation = CreateWorkspaceRequest(display_name="tools")
        made = await self.calls(self.calls.context.CreateWorkspace, creation)
        parent: str = made.workspace.workspace_id
        it = Filter(name="words", action=action, terms=TermsFilter(terms=[word]))
        await self.client.set_filters(parent, [it])
        return parent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One with no filters."""
    home = tmp_path_factory.mktemp("tools")
    async with AsyncExitStack() as up:
        connection = {"name": "it", "mcp": await tools_served(home, up, _Describing)}
        variables = {"ANTIPHON_CONNECTIONS": json.dumps([connection])}
        server = await up.enter_async_context(ServerProcess(home, variables=variables))
        client = await up.enter_async_context(server.client())
        channel = await up.enter_async_context(channel_to(server))
        yield Stage(client, Calls(channel, await operator(server), ""))
        assert server.defects == []


@pytest.mark.parametrize("name", TOLD)
async def test_a_tool_is_held(it: Stage, name: str) -> None:
    """Whatever a filter would do with it, until somebody has looked; that is told once."""
    for action in (FILTER_ACTION_HOLD, FILTER_ACTION_BLOCK, FILTER_ACTION_SANITISE):
        parent = await it.stand(action)
        for _ in range(2):
            assert await reason_of(it.client.call_tool(parent, f"it.{name}", {})) == "TOOL_HELD"
        assert len([each async for each in it.client.list_screenings(parent)]) == 1
        tool = await it.client.get_tool(parent, f"it.{name}")
        assert tool.state == TOOL_STATE_HELD
        if action == FILTER_ACTION_HOLD:
            assert (await it.client.approve_tool(parent, tool)).state == TOOL_STATE_AVAILABLE
            assert await reason_of(it.client.call_tool(parent, tool.name, {})) == ""
        else:
            assert await reason_of(it.client.approve_tool(parent, tool)) == "CONTENT_BLOCKED"


async def test_a_tool_that_passes_is_taken(it: Stage) -> None:
    """What is flagged, and where only words are found that schemas are made of."""
    for action, word in (
        (FILTER_ACTION_FLAG, WORD),
        (FILTER_ACTION_BLOCK, "properties"),
        (FILTER_ACTION_BLOCK, "string"),
    ):
        parent = await it.stand(action, word)
        assert await reason_of(it.client.call_tool(parent, "it.named", {})) == ""
        assert (await it.client.get_tool(parent, "it.named")).state == TOOL_STATE_AVAILABLE
