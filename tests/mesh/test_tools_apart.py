"""Tools where dispatcher and integration are processes apart, which call each other by Envoy."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from antiphon.events.v1.event_pb2 import TOOL_CALL_OUTCOME_CANCELLED, TOOL_CALL_OUTCOME_SUCCEEDED
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon_client import ApiKey, Client, text_of
from antiphon_server.mesh.contracts import contracts
from antiphon_server.mesh.edge.routes import inside_routes
from antiphon_server.mesh.model import Address, Edge
from tests.e2e.test_tools import _seen as seen
from tests.e2e.until import PATIENCE_S, SOON_S, until, until_it
from tests.integration.connections.mcp.asking import asking_server
from tests.mesh.commands import Command
from tests.mesh.nodes import HOST, PORTS, installation
from tests.proofs.bench.processes import free_port

SPLIT = (("auth", "context"), ("events", "dispatcher"), ("integration",))
SERVICES = tuple(name for names in SPLIT for name in names)
BAKE, STAMP = "A cake, please.", "A stamp, please."
MODEL: dict[str, Any] = {
    "name": "scripted/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {
        "calls": {
            BAKE: [{"tool": "cakes.bake", "arguments": '{"who": "Anna"}'}],
            STAMP: [{"tool": "cakes.stamp", "arguments": "{}"}],
        }
    },
}
LEMON = {"flavour": "lemon", "slices": 4}
ATTEND = "/antiphon.integration.v1.ToolService/AttendTool"


@asynccontextmanager
async def _split(home: Path, url: str) -> AsyncGenerator[Client]:
    """Three processes and an edge; a client there."""
    ports = replace(PORTS, inside_port=free_port())
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(installation(home / "mesh", ports))
        variables = {
            "ANTIPHON_REGISTRY": at.registry,
            "ANTIPHON_SECRET_KEY_FILE": str(home / "mesh" / "auth.key"),
            "ANTIPHON_PEERS": json.dumps(dict.fromkeys(SERVICES, f"{HOST}:{ports.inside_port}")),
            "ANTIPHON_BEHIND_PROXY": "true",
            "ANTIPHON_MODELS": json.dumps([MODEL]),
            "ANTIPHON_CONNECTIONS": json.dumps([{"name": "cakes", "mcp": url}]),
        }
        for names in SPLIT:
            told = ("--port", "0", "--data-dir", str(home / names[0]), "--model", MODEL["name"])
            log = home / f"{names[0]}.log"
            await stack.enter_async_context(Command(log, variables, "serve", *names, *told))
        await until_it(lambda: at.knows(*SERVICES))
        key = ApiKey((await asyncio.to_thread(_operator_key, home / "auth")).strip())
        yield await stack.enter_async_context(
            Client.connect(str(at.mesh.edge), key, deadline=PATIENCE_S)
        )


def _operator_key(folder: Path) -> str:
    [file] = folder.rglob("operator.key")
    return file.read_text()


async def _conversation(client: Client) -> str:
    made = await client.create_conversation(tools=["cakes.*"])
    for tool in ("cakes.bake", "cakes.stamp"):
        await client.set_tool_rule(made.workspace_id, tool, TOOL_RULE_ALWAYS)
    return made.conversation_id


async def test_what_a_tool_asks_is_answered_and_a_stop_reaches_it(tmp_path: Path) -> None:
    """By the stream between both, which is held open; each call is made once."""
    done = tmp_path / "done"
    async with asking_server(done, old=True) as url, _split(tmp_path, url) as client:
        where = await _conversation(client)
        turn_id = (await client.dispatch(where, BAKE)).turn.turn_id
        asked = (await seen(client, where, "tool_call_question_asked")).tool_call_question_asked
        assert asked.HasField("expire_time"), "it is held open"
        await client.answer_tool_call(where, turn_id, asked, content=LEMON)
        finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
        assert finished.outcome == TOOL_CALL_OUTCOME_SUCCEEDED
        assert text_of(finished.result) == "4 slices of lemon for Anna"
        await asyncio.to_thread(done.unlink)

        where = await _conversation(client)
        turn_id = (await client.dispatch(where, STAMP)).turn.turn_id
        await until(done.exists)
        await client.cancel_turn(where, turn_id)
        await until(lambda: done.read_text().splitlines()[1:] == ["stopped"], SOON_S)
        finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
        assert finished.outcome == TOOL_CALL_OUTCOME_CANCELLED

        where = await _conversation(client)
        turn_id = (await client.dispatch(where, BAKE)).turn.turn_id
        await seen(client, where, "tool_call_question_asked")
        await client.cancel_turn(where, turn_id)
        finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
        assert finished.outcome == TOOL_CALL_OUTCOME_CANCELLED


async def test_a_call_that_says_nothing_is_not_ended_between_them() -> None:
    """A person may think as long as the dispatcher lets them: five minutes, as Envoy would."""
    edge = Edge(Address(HOST, 0), contracts=contracts())
    routes = inside_routes(edge, lambda name: name).virtual_hosts[0].routes
    [found] = [it.route for it in routes if it.match and it.match.path == ATTEND]
    assert found is not None
    assert found.idle_timeout == timedelta(0)
