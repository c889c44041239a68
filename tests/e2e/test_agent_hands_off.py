"""A model leaves its turn to people, by a tool, as far as rules let it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_MEMBER
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import TURN_STATE_SUCCEEDED
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_NEVER
from antiphon_client import AntiphonError, Client, text_of
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it

TOOL = "antiphon.hand_off"
MONEY = "May I have my money back?"
BOSS = "I want your boss"
WRONG = "Give it to the queen"


def _calls(arguments: str) -> list[dict[str, str]]:
    return [{"tool": TOOL, "arguments": arguments}]


MODEL: dict[str, Any] = {
    "name": "scripted/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {
        "calls": {
            MONEY: _calls('{"reason": "it is about money"}'),
            BOSS: _calls('{"reason": "a complaint", "queue": "admins"}'),
            WRONG: _calls('{"reason": "why not", "queue": "queens"}'),
        }
    },
}


@asynccontextmanager
async def _served(home: Path) -> AsyncIterator[tuple[ServerProcess, Client, str]]:
    server = ServerProcess(home, models=[MODEL])
    async with all_of([server]), server.client() as client:
        made = await client.create_conversation(tools=[TOOL])
        yield server, client, made.conversation_id


async def _asked(client: Client, where: str, text: str) -> Turn:
    return (await client.dispatch(where, text)).turn


async def _handed(client: Client, turn: Turn) -> Turn:
    async def waits() -> bool:
        now = await client.get_turn(turn.conversation_id, turn.turn_id)
        return now.HasField("handoff")

    await until_it(waits)
    return await client.get_turn(turn.conversation_id, turn.turn_id)


async def _ended(client: Client, turn: Turn) -> Turn:
    async def done() -> bool:
        now = await client.get_turn(turn.conversation_id, turn.turn_id)
        return now.HasField("end_time")

    await until_it(done)
    return await client.get_turn(turn.conversation_id, turn.turn_id)


async def _said(client: Client, where: str) -> list[tuple[str, str]]:
    listed = [it async for it in client.list_messages(where)]
    mine = (it for it in listed if it.role == MESSAGE_ROLE_ASSISTANT)
    told = sorted(mine, key=lambda it: it.offset)
    return [(it.author.partition("/")[0], text_of(it.parts)) for it in told]


async def test_a_model_leaves_its_turn_to_people(tmp_path: Path) -> None:
    """With its reason, to the queue that it names; also over a restart, once."""
    async with _served(tmp_path) as (server, client, where):
        turn = await _handed(client, await _asked(client, where, MONEY))
        assert turn.handoff.reason == "it is about money"
        assert turn.handoff.asked_by == "handlers/assistant"
        assert turn.handoff.role == ROLE_MEMBER
        await server.restart()
        again = await _handed(client, turn)
        assert again.handoff.handoff_id == turn.handoff.handoff_id
        answered = await client.answer_handoff(where, turn.handoff.handoff_id, "You may.")
        assert answered.state == TURN_STATE_SUCCEEDED
        assert (await _said(client, where))[-1] == ("users", "You may.")
        boss = await _handed(client, await _asked(client, where, BOSS))
        assert boss.handoff.role == ROLE_ADMIN
        await client.decline_handoff(where, boss.handoff.handoff_id)


async def test_it_goes_on_with_what_comes_back(tmp_path: Path) -> None:
    """The call of before hands nothing off again; the model knows that people had it."""
    async with _served(tmp_path) as (_, client, where):
        turn = await _handed(client, await _asked(client, where, MONEY))
        await client.return_handoff(where, turn.handoff.handoff_id)
        ended = await _ended(client, turn)
        assert (ended.state, ended.handler) == (TURN_STATE_SUCCEEDED, "assistant")
        (said,) = await _said(client, where)
        assert said[0] == "handlers"
        assert "People have it now" in said[1]


async def test_a_model_is_told_what_is_wrong_or_forbidden(tmp_path: Path) -> None:
    """Then it answers itself."""
    async with _served(tmp_path) as (_, client, where):
        ended = await _ended(client, await _asked(client, where, WRONG))
        assert ended.state == TURN_STATE_SUCCEEDED
        workspace_id = (await client.get_conversation(where)).workspace_id
        await client.set_tool_rule(workspace_id, TOOL, TOOL_RULE_NEVER)
        ended = await _ended(client, await _asked(client, where, MONEY))
        assert ended.state == TURN_STATE_SUCCEEDED
        assert not [it async for it in client.list_handoffs(workspace_id)]


async def test_nobody_else_hands_off_by_it(tmp_path: Path) -> None:
    """A client's call is of no turn."""
    async with _served(tmp_path) as (_, client, where):
        workspace_id = (await client.get_conversation(where)).workspace_id
        with pytest.raises(AntiphonError) as refused:
            await client.call_tool(workspace_id, TOOL, {"reason": "mine"})
        assert refused.value.reason == "TOOL_FAILED"
