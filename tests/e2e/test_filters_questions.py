"""What tools ask people is looked at before anybody is asked, and before it is in a log."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_FLAG,
    FILTER_ACTION_HOLD,
    FILTER_ACTION_SANITISE,
    FILTER_STAGE_TOOL_RESULT,
    Filter,
    FilterAction,
    Screening,
    TermsFilter,
)
from antiphon.events.v1.event_pb2 import Event
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon_client import Client
from antiphon_client.status import error_of_status
from tests.e2e.server import ServerProcess
from tests.e2e.test_tools import _seen as seen
from tests.integration.connections.mcp.asking import asking_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
KINDS = {"new": "pauses", "old": "is held open"}
CALLS = {
    f"{name} {tool}": [{"tool": f"{name}.{tool}", "arguments": arguments}]
    for name in KINDS
    for tool, arguments in {"bake": '{"who": "Anna"}', "pay": "{}"}.items()
}
MODEL = {"name": "scripted/echo", "kind": "scripted", "model": "echo", "script": {"calls": CALLS}}


@dataclass(frozen=True, slots=True)
class Stage:
    """A workspace with two servers that ask: one whose calls pause, one that holds them open."""

    client: Client
    parent: str

    async def stand(self, action: FilterAction.ValueType, word: str) -> None:
        """One filter of a word."""
        it = Filter(name="words", action=action, terms=TermsFilter(terms=[word]))
        await self.client.set_filters(self.parent, [it])

    async def asked(self, said: str) -> Any:
        """What people are asked then; why they are not."""
        made = await self.client.create_conversation(tools=["new.*", "old.*"])
        where = made.conversation_id
        turn_id = (await self.client.dispatch(where, said)).turn.turn_id
        event = await self._first(where)
        await self.client.cancel_turn(where, turn_id)
        if event.HasField("tool_call_question_asked"):
            return event.tool_call_question_asked.question
        return error_of_status(event.tool_call_finished.error).reason

    async def _first(self, where: str) -> Event:
        started = await seen(self.client, where, "tool_call_started")
        after = started.tool_call_started.tool_call_id
        async for event in self.client.follow(f"conversations/{where}", earliest=True):
            for kind in ("tool_call_question_asked", "tool_call_finished"):
                if event.HasField(kind) and getattr(event, kind).tool_call_id == after:
                    return event
        raise AssertionError

    async def last(self) -> Screening:
        """What filters have said last."""
        async for it in self.client.list_screenings(self.parent):
            return it
        raise AssertionError


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A server, behind no filters."""
    home = tmp_path_factory.mktemp("questions")
    async with AsyncExitStack() as up:
        urls = {
            name: await up.enter_async_context(asking_server(home / name, old=name == "old"))
            for name in KINDS
        }
        connections = [{"name": name, "mcp": url} for name, url in urls.items()]
        variables = {"ANTIPHON_CONNECTIONS": json.dumps(connections)}
        server = ServerProcess(home, models=[MODEL], variables=variables)
        await up.enter_async_context(server)
        client = await up.enter_async_context(server.client())
        parent = (await client.create_conversation()).workspace_id
        for name in KINDS:
            await client.test_connection(parent, name)
        for call in CALLS.values():
            await client.set_tool_rule(parent, call[0]["tool"], TOOL_RULE_ALWAYS)
        yield Stage(client, parent)
        assert server.defects == []


@pytest.mark.parametrize("name", KINDS)
async def test_what_is_found_is_cut_out_of_a_question(it: Stage, name: str) -> None:
    """Of its message, and of what its fields are called; it stays a form."""
    await it.stand(FILTER_ACTION_SANITISE, "shall it")
    asked = await it.asked(f"{name} bake")
    assert asked.message == "Which cake\ufffd [term] be?"
    told = await it.last()
    assert (told.stage, told.refused) == (FILTER_STAGE_TOOL_RESULT, False)
    assert told.tool_call_id
    await it.stand(FILTER_ACTION_SANITISE, "taste")
    fields = json.loads((await it.asked(f"{name} bake")).schema_json)["properties"]
    assert (fields["flavour"]["description"], fields["flavour"]["enum"]) == (
        "Its *",
        ["lemon", "chocolate"],
    )


@pytest.mark.parametrize("name", KINDS)
async def test_a_question_is_refused(it: Stage, name: str) -> None:
    """By the call that asks it: where that is declared, where nobody could look first, and where
    nothing can be cut out, as of a choice, a field's name or a page's address.
    """
    for action, word, tool in (
        (FILTER_ACTION_BLOCK, "cake", "bake"),
        (FILTER_ACTION_HOLD, "cake", "bake"),
        (FILTER_ACTION_SANITISE, "lemon", "bake"),
        (FILTER_ACTION_SANITISE, "slices", "bake"),
        (FILTER_ACTION_SANITISE, "example", "pay"),
    ):
        await it.stand(action, word)
        assert await it.asked(f"{name} {tool}") == "CONTENT_BLOCKED"
        assert (await it.last()).refused


@pytest.mark.parametrize("name", KINDS)
async def test_a_question_that_passes_is_as_it_was(it: Stage, name: str) -> None:
    """Words of forms themselves are nobody's."""
    await it.client.set_filters(it.parent, [])
    before = await it.asked(f"{name} bake")
    for action, word in ((FILTER_ACTION_FLAG, "cake"), (FILTER_ACTION_BLOCK, "object")):
        await it.stand(action, word)
        asked = await it.asked(f"{name} bake")
        assert (asked.message, asked.schema_json) == (before.message, before.schema_json)
