"""What tools return is looked at whole, however long it is, and wherever filters are."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_SANITISE,
    Filter,
    FilterAction,
    TermsFilter,
)
from antiphon_client import Client
from antiphon_server.integration.connections.settings import ConnectionSettings
from tests.apart.installation import installation
from tests.e2e.entrances.entrance import reason_of
from tests.fakes.tool_server import RunLedger, Tools, serve_http

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORD = "falcon"
LONG = "ä word " * 640_000
"""More than a port takes at once."""
CALL = 2 * 1024 * 1024 // 8 * 7
"""So many characters of it a call of filters takes."""
CONTENT = {
    "long": [{"type": "text", "text": f"{LONG}{WORD} behind"}],
    "seam": [{"type": "text", "text": f"{LONG[: CALL - 5]}{WORD} {LONG}"[: len(LONG)]}],
    "escaped": [{"type": "text", "text": '{"a": "\\u0066al\\u200bcon", "b": "\\u0022\\\\u0041"}'}],
    "short": [{"type": "text", "text": f"a {WORD}"}],
    "link": [
        {"type": "resource_link", "uri": "https://a.example/b", "name": "b", "mimeType": "x/falcon"}
    ],
    "data": [{"type": "image", "data": "AAAA", "mimeType": "image/falcon"}],
}


class _Returning(Tools):
    async def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        if method != "tools/call":
            return await super()._result(method, params)
        return {"content": CONTENT[params["arguments"]["key"]]}


@dataclass(frozen=True, slots=True)
class Stage:
    """A workspace whose tool returns what it is asked for."""

    client: Client
    parent: str

    async def stand(self, action: FilterAction.ValueType) -> None:
        """One filter of a word."""
        terms, time = TermsFilter(terms=[WORD]), Duration(seconds=30)
        it = Filter(name="words", action=action, terms=terms, timeout=time)
        await self.client.set_filters(self.parent, [it])

    async def call(self, key: str) -> Any:
        """What it returns."""
        return await self.client.call_tool(self.parent, "it.echo", {"key": key})


async def tools_served(home: Path, up: AsyncExitStack, tools: type[Tools]) -> str:
    """The URL of their server."""
    url = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_http(tools(RunLedger(home / "ledger")), url.set_result))
    up.callback(serving.cancel)
    return str(await url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Each service in a server of its own, behind no filters."""
    home = tmp_path_factory.mktemp("results")
    async with AsyncExitStack() as up:
        connection = ConnectionSettings(name="it", mcp=await tools_served(home, up, _Returning))
        more: dict[str, Any] = {"connections": (connection,)}
        made = await up.enter_async_context(installation(home, **more))
        client = await up.enter_async_context(made.client())
        yield Stage(client, (await client.create_conversation()).workspace_id)


async def test_a_long_result_is_looked_at_and_comes(it: Stage) -> None:
    """To its end; it is as long as it was where nothing is found."""
    await it.client.set_filters(it.parent, [])
    before = await it.call("long")
    await it.stand(FILTER_ACTION_SANITISE)
    after = await it.call("long")
    assert before.parts == after.parts
    assert after.omitted_bytes - before.omitted_bytes == len("[term]") - len(WORD)
    await it.stand(FILTER_ACTION_BLOCK)
    assert await reason_of(it.call("long")) == "CONTENT_BLOCKED"
    assert await reason_of(it.call("seam")) == "CONTENT_BLOCKED"


@pytest.mark.parametrize("key", ["link", "data"])
async def test_what_it_is_called_is_looked_at(it: Stage, key: str) -> None:
    """Its type, out of which nothing can be cut."""
    for action in (FILTER_ACTION_BLOCK, FILTER_ACTION_SANITISE):
        await it.stand(action)
        assert await reason_of(it.call(key)) == "CONTENT_BLOCKED"
    await it.stand(FILTER_ACTION_SANITISE)
    assert [part.text for part in (await it.call("short")).parts] == ["a [term]"]


async def test_what_json_has_escaped_is_looked_at_as_it_is_meant(it: Stage) -> None:
    """Programs write letters so, and models read them; what nothing is found in is as it was."""
    await it.client.set_filters(it.parent, [])
    (before,) = (await it.call("escaped")).parts
    await it.stand(FILTER_ACTION_SANITISE)
    (after,) = (await it.call("escaped")).parts
    assert json.loads(after.text) == {"a": "[term]", "b": json.loads(before.text)["b"]}
    await it.client.set_filters(
        it.parent,
        [Filter(name="w", action=FILTER_ACTION_SANITISE, terms=TermsFilter(terms=["other"]))],
    )
    assert (await it.call("escaped")).parts == [before]
