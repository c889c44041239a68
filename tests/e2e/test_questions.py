"""Tools that ask people: a real MCP server, servers that are killed, a client that answers."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from antiphon.events.v1.event_pb2 import (
    TOOL_CALL_OUTCOME_CANCELLED,
    TOOL_CALL_OUTCOME_SUCCEEDED,
    TURN_STATE_SUCCEEDED,
    ToolCallQuestionAsked,
)
from antiphon.integration.v1.model_pb2 import CALL_KIND_MODEL
from antiphon.integration.v1.tool_pb2 import (
    TOOL_ANSWER_ACTION_ACCEPTED,
    TOOL_ANSWER_ACTION_DECLINED,
    TOOL_RULE_ALWAYS,
)
from antiphon_client import AntiphonError, Client, QuestionStatus, text_of
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.stored_rows import stored_rows
from tests.e2e.test_tools import _seen as seen
from tests.e2e.until import until
from tests.fakes.postgres import Postgres
from tests.integration.connections.mcp.asking import asking_server

BAKE = "cakes.bake"
ASK = "A cake, please."
PRAISE = "Praise a cake."
STAMP = "A stamp, please."
MODEL: dict[str, Any] = {
    "name": "scripted/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {
        "calls": {
            ASK: [{"tool": BAKE, "arguments": '{"who": "Anna"}'}],
            PRAISE: [{"tool": "cakes.praise", "arguments": "{}"}],
            STAMP: [{"tool": "cakes.stamp", "arguments": "{}"}],
        }
    },
}
LEMON = {"flavour": "lemon", "slices": 4}
BAKED = "4 slices of lemon for Anna"


def _settings(url: str) -> dict[str, str]:
    cakes = {"name": "cakes", "mcp": url, "allow_sampling": True}
    return {"ANTIPHON_CONNECTIONS": json.dumps([cakes])}


@asynccontextmanager
async def _served(home: Path) -> AsyncIterator[tuple[ServerProcess, Client, Path]]:
    done = home / "done"
    async with asking_server(done) as url:
        server = ServerProcess(home / "server", models=[MODEL], variables=_settings(url))
        async with all_of([server]), server.client() as client:
            yield server, client, done


async def _conversation(client: Client) -> str:
    """One in which the tool is called without asking whether it may be."""
    made = await client.create_conversation(tools=["cakes.*"])
    await client.set_tool_rule(made.workspace_id, BAKE, TOOL_RULE_ALWAYS)
    return made.conversation_id


async def _asked(client: Client, where: str) -> tuple[str, ToolCallQuestionAsked]:
    """A turn whose tool asks."""
    turn_id = (await client.dispatch(where, ASK)).turn.turn_id
    event = await seen(client, where, "tool_call_question_asked")
    return turn_id, event.tool_call_question_asked


async def test_a_member_answers_what_a_tool_asks(tmp_path: Path) -> None:
    """What the form does not allow is refused by its member's name; then the call goes on."""
    async with _served(tmp_path) as (_, client, done):
        where = await _conversation(client)
        async with client.converse(where) as live:
            turn = await live.post(ASK)
            async for update in turn.updates():
                if isinstance(update, QuestionStatus) and update.waits:
                    asked = update.asked
                    with pytest.raises(AntiphonError) as refused:
                        await client.answer_tool_call(
                            where, turn.turn_id, asked, content={**LEMON, "slices": 99}
                        )
                    assert refused.value.reason == "INVALID_ARGUMENT"
                    assert "content_json.slices" in str(refused.value.violations)
                    assert not asked.HasField("expire_time")
                    said = await client.answer_tool_call(where, turn.turn_id, asked, content=LEMON)
                    assert said.action == TOOL_ANSWER_ACTION_ACCEPTED
            result = await turn.result()
        assert BAKED in result.text
        assert done.read_text().splitlines() == [BAKED]


@pytest.mark.parametrize("accept", [True, False])
async def test_a_question_outlives_its_server(tmp_path: Path, *, accept: bool) -> None:
    """Kill -9 between question and answer: the next life goes on with the call, made once."""
    async with _served(tmp_path) as (server, client, done):
        where = await _conversation(client)
        turn_id, asked = await _asked(client, where)
        await server.kill()
        await server.start()
        if accept:
            await client.answer_tool_call(where, turn_id, asked, content=LEMON)
        else:
            declined = TOOL_ANSWER_ACTION_DECLINED
            await client.answer_tool_call(where, turn_id, asked, declined)
        finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
        assert finished.outcome == TOOL_CALL_OUTCOME_SUCCEEDED
        told = BAKED if accept else "No cake for Anna: decline"
        assert text_of(finished.result) == told
        end = (await seen(client, where, "turn_finished")).turn_finished
        assert end.state == TURN_STATE_SUCCEEDED
        assert done.exists() is accept


async def test_an_idempotent_tool_is_called_again_by_the_same_key(tmp_path: Path) -> None:
    """Kill -9 while it runs: MCP has no key of its own, so ours stands in `_meta`."""
    async with _served(tmp_path) as (server, client, done):
        made = await client.create_conversation(tools=["cakes.*"])
        await client.set_tool_rule(made.workspace_id, "cakes.stamp", TOOL_RULE_ALWAYS)
        await client.dispatch(made.conversation_id, STAMP)
        await until(done.exists)
        await server.restart()
        event = await seen(client, made.conversation_id, "tool_call_finished")
        finished = event.tool_call_finished
        assert finished.outcome == TOOL_CALL_OUTCOME_SUCCEEDED
        keys = [it for it in done.read_text().splitlines() if it != "stopped"]
        assert keys == [finished.tool_call_id] * 2
        assert text_of(finished.result).startswith(finished.tool_call_id)
        rows = (await stored_rows(server.data_dir))["integration_tool_results"]
        assert ["'attempt': 2" in it for it in rows] == [True], "a first attempt changes it no more"


async def test_a_stop_ends_the_question(tmp_path: Path) -> None:
    """Nobody answers it then, and nothing is done."""
    async with _served(tmp_path) as (_, client, done):
        where = await _conversation(client)
        turn_id, asked = await _asked(client, where)
        await client.cancel_turn(where, turn_id)
        finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
        assert finished.outcome == TOOL_CALL_OUTCOME_CANCELLED
        with pytest.raises(AntiphonError) as ended:
            await client.answer_tool_call(where, turn_id, asked, content=LEMON)
        assert ended.value.reason == "TOOL_CALL_ENDED"
        assert not done.exists()


async def test_another_server_takes_the_answer(postgres: Postgres, tmp_path: Path) -> None:
    """Of two at once the first counts, also when the server that asked has died."""
    done = tmp_path / "done"
    async with asking_server(done) as url:
        variables = {
            **_settings(url),
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        }
        servers = [ServerProcess(tmp_path / it, models=[MODEL], variables=variables) for it in "ab"]
        async with all_of(servers), servers[0].client() as one, servers[1].client() as other:
            baked = 0
            for dies in (False, True):
                where = await _conversation(one)
                turn_id, asked = await _asked(one, where)
                if dies:
                    await servers[0].kill()
                both = await asyncio.gather(
                    other.answer_tool_call(where, turn_id, asked, content=LEMON),
                    other.answer_tool_call(where, turn_id, asked, TOOL_ANSWER_ACTION_DECLINED),
                )
                assert both[0] == both[1]
                await seen(other, where, "turn_finished")
                baked += both[0].action == TOOL_ANSWER_ACTION_ACCEPTED
            lines = done.read_text().splitlines() if done.exists() else []
            assert len(lines) == baked


async def test_a_model_is_asked_for_a_tool_and_its_turn_pays(tmp_path: Path) -> None:
    """With what the server says alone, once, though the call pauses behind that."""
    async with _served(tmp_path) as (_, client, _done):
        made = await client.create_conversation(tools=["cakes.*"])
        await client.post_message(made.conversation_id, "Nobody else is to know of this.")
        await client.set_tool_rule(made.workspace_id, "cakes.praise", TOOL_RULE_ALWAYS)
        where = made.conversation_id
        turn_id = (await client.dispatch(where, PRAISE)).turn.turn_id
        asked = (await seen(client, where, "tool_call_question_asked")).tool_call_question_asked
        await client.answer_tool_call(where, turn_id, asked, content=LEMON)
        finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
        assert text_of(finished.result) == "scripted/echo: A word on cake (accept)"
        await seen(client, where, "turn_finished")
        usage = await client.get_usage(made.workspace_id, turn_id, where)
        assert [it.kind for it in usage.calls].count(CALL_KIND_MODEL) == 3
