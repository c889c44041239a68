"""server-everything, as npm brings it, asks people and models in the middle of its calls."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon.events.v1.event_pb2 import TOOL_CALL_OUTCOME_UNKNOWN, TURN_STATE_SUCCEEDED
from antiphon.integration.v1.model_pb2 import CALL_KIND_MODEL
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon_client import AntiphonError, Client, text_of
from tests import npm
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.test_counterparts import VERSION
from tests.e2e.test_tools import _seen as seen

pytestmark = [pytest.mark.needs("npm"), pytest.mark.proof]
ELICITS, SAMPLES = "everything.trigger-elicitation-request", "everything.trigger-sampling-request"
CALLS = {
    "Ask me": [{"tool": ELICITS, "arguments": "{}"}],
    "Ask a model": [{"tool": SAMPLES, "arguments": '{"prompt": "spring", "maxTokens": 20}'}],
}
MODEL = {"name": "scripted/echo", "kind": "scripted", "model": "echo", "script": {"calls": CALLS}}
Served = tuple[ServerProcess, Client, str]


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the server's command and of its Node.js."""
    packages = {"@modelcontextprotocol/server-everything": VERSION}
    return npm.install(tmp_path_factory.mktemp("npm"), packages)


@pytest.fixture
async def served(commands: Path, tmp_path: Path) -> AsyncIterator[Served]:
    """A server, a client, and a conversation in which both tools are called at once."""
    program = {
        "command": str(commands / "mcp-server-everything"),
        "variables": {"PATH": f"{commands}:/usr/bin:/bin"},
    }
    connection = {"name": "everything", "program": "everything", "allow_sampling": True}
    variables = {
        "ANTIPHON_PROGRAMS": json.dumps({"everything": program}),
        "ANTIPHON_CONNECTIONS": json.dumps([connection]),
    }
    server = ServerProcess(tmp_path / "home", models=[MODEL], variables=variables)
    async with all_of([server]), server.client() as client:
        made = await client.create_conversation(tools=["everything.*"])
        await client.test_connection(made.workspace_id, "everything")
        for name in (ELICITS, SAMPLES):
            await client.set_tool_rule(made.workspace_id, name, TOOL_RULE_ALWAYS)
        yield server, client, made.conversation_id


async def test_a_form_of_all_kinds_of_fields_is_answered(served: Served) -> None:
    """The call is held open for it."""
    _, client, where = served
    turn_id = (await client.dispatch(where, "Ask me")).turn.turn_id
    asked = (await seen(client, where, "tool_call_question_asked")).tool_call_question_asked
    assert asked.HasField("expire_time")
    fields = json.loads(asked.question.schema_json)["properties"]
    assert len(fields) == 13
    assert fields["legacyTitledEnum"]["oneOf"][1] == {"const": "pet-2", "title": "Dogs"}
    with pytest.raises(AntiphonError) as refused:
        await client.answer_tool_call(where, turn_id, asked, content={"name": "Ada", "integer": 0})
    assert "content_json.integer" in str(refused.value.violations)
    content = {
        **{name: it["default"] for name, it in fields.items() if "default" in it},
        "name": "Ada",
        "check": True,
    }
    await client.answer_tool_call(where, turn_id, asked, content=content)
    finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
    told = text_of(finished.result)
    assert "- Name: Ada" in told
    assert "- Favorite Integer: 42" in told
    assert '"fish-1"' in told


async def test_a_call_that_was_held_open_is_unknown_after_a_kill(served: Served) -> None:
    """Its question takes no answer, and the turn goes on."""
    server, client, where = served
    turn_id = (await client.dispatch(where, "Ask me")).turn.turn_id
    asked = (await seen(client, where, "tool_call_question_asked")).tool_call_question_asked
    await server.kill()
    await server.start()
    with pytest.raises(AntiphonError) as ended:
        await client.answer_tool_call(where, turn_id, asked, content={"name": "Ada"})
    assert ended.value.reason == "TOOL_CALL_ENDED"
    finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
    assert finished.outcome == TOOL_CALL_OUTCOME_UNKNOWN
    end = (await seen(client, where, "turn_finished")).turn_finished
    assert end.state == TURN_STATE_SUCCEEDED


async def test_a_model_is_asked_and_the_turn_pays(served: Served) -> None:
    """Beside the two calls of the turn's own answer there is one more in the ledger."""
    _, client, where = served
    turn_id = (await client.dispatch(where, "Ask a model")).turn.turn_id
    finished = (await seen(client, where, "tool_call_finished")).tool_call_finished
    assert "context: spring" in text_of(finished.result)
    await seen(client, where, "turn_finished")
    workspaces = [it.workspace_id async for it in client.list_workspaces()]
    usage = await client.get_usage(workspaces[0], turn_id, where)
    assert [it.kind for it in usage.calls].count(CALL_KIND_MODEL) == 3
