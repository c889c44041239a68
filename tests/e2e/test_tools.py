"""Turns that call tools, on real servers that are killed."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from antiphon.events.v1.event_pb2 import (
    TOOL_CALL_OUTCOME_DENIED,
    TOOL_CALL_OUTCOME_SUCCEEDED,
    TURN_STATE_SUCCEEDED,
    Event,
)
from antiphon.integration.v1.model_pb2 import CALL_KIND_TOOL
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ASK, TOOL_RULE_NEVER
from antiphon_client import AntiphonError, CallStatus, Client, text_of
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.test_set_aside import metric
from tests.e2e.until import PATIENCE_S
from tests.fakes.postgres import Postgres

TIME = "antiphon.time"
MADE = 'antiphon_tool_call_duration_seconds_count{outcome="succeeded",reason=""}'
ASK = "What time is it?"
MODEL: dict[str, Any] = {
    "name": "scripted/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {
        "calls": {
            ASK: [{"tool": TIME, "arguments": '{"zone": "Asia/Tokyo"}'}],
            "Find Paris": [{"tool": "antiphon.search", "arguments": '{"query": "paris"}'}],
        }
    },
}


@asynccontextmanager
async def _served(home: Path) -> AsyncIterator[tuple[ServerProcess, Client]]:
    server = ServerProcess(home, models=[MODEL])
    async with all_of([server]), server.client() as client:
        yield server, client


async def _seen(client: Client, conversation: str, kind: str) -> Event:
    """The first event of that kind."""
    events = aiter(client.follow(f"conversations/{conversation}", earliest=True))
    async with asyncio.timeout(PATIENCE_S), aclosing(events):
        async for event in events:
            if event.WhichOneof("payload") == kind:
                return event
    raise AssertionError


async def _asking(client: Client) -> str:
    """A conversation in which each call of the time has to be approved."""
    made = await client.create_conversation(tools=["antiphon.*"])
    await client.set_tool_rule(made.workspace_id, TIME, TOOL_RULE_ASK)
    return made.conversation_id


async def test_a_model_calls_a_tool_and_says_what_came_of_it(tmp_path: Path) -> None:
    """The client sees the call as it is made; the ledger has it beside the model's two."""
    async with _served(tmp_path) as (_, client):
        made = await client.create_conversation(tools=[TIME])
        async with client.converse(made.conversation_id) as live:
            turn = await live.post(ASK)
            seen = [it async for it in turn.updates() if isinstance(it, CallStatus)]
            result = await turn.result()
        assert '"zone": "Asia/Tokyo"' in result.text
        assert [it.sentence for it in seen] == [f"calling {TIME}", f"ended {TIME}"]
        assert seen[1].finished is not None
        assert seen[1].finished.outcome == TOOL_CALL_OUTCOME_SUCCEEDED
        usage = await client.get_usage(made.workspace_id, result.turn_id, made.conversation_id)
        assert sorted(call.model for call in usage.calls) == [TIME, MODEL["name"], MODEL["name"]]
        assert [it.kind for it in usage.calls].count(CALL_KIND_TOOL) == 1


async def test_a_turn_asks_models_as_often_as_is_set(tmp_path: Path) -> None:
    """One that calls tools for ever ends, and says by which limit."""
    variables = {"ANTIPHON_TOOLS": '{"steps": 1}'}
    server = ServerProcess(tmp_path, models=[MODEL], variables=variables)
    async with all_of([server]), server.client() as client:
        made = await client.create_conversation(tools=[TIME])
        await client.dispatch(made.conversation_id, ASK)
        end = (await _seen(client, made.conversation_id, "turn_finished")).turn_finished
        assert b"LIMIT_EXCEEDED" in end.error.SerializeToString()
        assert await metric(server, MADE) == 1


async def test_search_finds_what_was_said(tmp_path: Path) -> None:
    """In the conversation's own messages."""
    async with _served(tmp_path) as (_, client):
        made = await client.create_conversation(tools=["antiphon.search"])
        await client.post_message(made.conversation_id, "Paris in spring", in_context=True)
        async with client.converse(made.conversation_id) as live:
            result = await (await live.post("Find Paris")).result()
        assert '"excerpt": "Paris in spring"' in result.text


async def test_a_conversation_has_no_tools_unless_somebody_says_so(tmp_path: Path) -> None:
    """Nor has one those that its workspace forbids; a list may be changed at any time."""
    async with _served(tmp_path) as (_, client):
        made = await client.create_conversation()
        async with client.converse(made.conversation_id) as live:
            assert (await (await live.post(ASK)).result()).text == ASK
            changed = await client.set_tools(made.conversation_id, [TIME])
            assert changed.tools == [TIME]
            assert "Asia/Tokyo" in (await (await live.post(ASK)).result()).text
            await client.set_tool_rule(made.workspace_id, TIME, TOOL_RULE_NEVER)
            assert (await (await live.post(ASK)).result()).text == ASK
        with pytest.raises(AntiphonError) as refused:
            await client.set_tools(made.conversation_id, ["no source"])
        assert refused.value.reason == "INVALID_ARGUMENT"


@pytest.mark.parametrize("approve", [True, False])
async def test_who_waits_for_a_person_survives_a_kill(tmp_path: Path, *, approve: bool) -> None:
    """After it the call is decided about, made or not, and the turn goes on to its end."""
    async with _served(tmp_path) as (server, client):
        where = await _asking(client)
        turn_id = (await client.dispatch(where, ASK)).turn.turn_id
        proposed = (await _seen(client, where, "tool_call_proposed")).tool_call_proposed
        await server.kill()
        await server.start()
        decided = await client.decide_tool_call(
            where, turn_id, proposed, approve=approve, reason="" if approve else "not now"
        )
        assert decided.approved is approve
        finished = (await _seen(client, where, "tool_call_finished")).tool_call_finished
        wanted = TOOL_CALL_OUTCOME_SUCCEEDED if approve else TOOL_CALL_OUTCOME_DENIED
        assert finished.outcome == wanted
        end = (await _seen(client, where, "turn_finished")).turn_finished
        assert end.state == TURN_STATE_SUCCEEDED
        messages = [it async for it in client.list_messages(where)]
        assert ("Asia/Tokyo" if approve else "not now") in text_of(messages[0].parts)


async def test_another_server_takes_the_decision(postgres: Postgres, tmp_path: Path) -> None:
    """It is sent where the turn is; when that server dies, the other one has the turn."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    servers = [ServerProcess(tmp_path / it, models=[MODEL], variables=variables) for it in "ab"]
    async with all_of(servers), servers[0].client() as one, servers[1].client() as other:
        for dies in (False, True):
            where = await _asking(one)
            turn_id = (await one.dispatch(where, ASK)).turn.turn_id
            proposed = (await _seen(other, where, "tool_call_proposed")).tool_call_proposed
            if dies:
                await servers[0].kill()
            both = await asyncio.gather(
                other.decide_tool_call(where, turn_id, proposed, approve=True),
                other.decide_tool_call(where, turn_id, proposed, approve=False),
            )
            assert both[0] == both[1]
            await _seen(other, where, "turn_finished")
            finished = (await _seen(other, where, "tool_call_finished")).tool_call_finished
            denied = finished.outcome == TOOL_CALL_OUTCOME_DENIED
            assert denied is not both[0].approved
