"""Sixty-four calls of one step: what becomes of some costs the others nothing."""

import json
import os
import signal
from pathlib import Path

from antiphon.events.v1.event_pb2 import (
    TOOL_CALL_OUTCOME_CANCELLED,
    TOOL_CALL_OUTCOME_SUCCEEDED,
    TOOL_CALL_OUTCOME_UNKNOWN,
    TURN_STATE_CANCELLED,
)
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon_client import text_of
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until
from tests.fakes.tool_server import lines_of
from tests.proofs.bench.processes import printed
from tests.proofs.tools.judging import outcomes
from tests.proofs.tools.turns import new_runs, reading, stored

SOON = 62
TOOLS = ("web.echo", "web.hang", "gone.hang")
ASK = "Call them all"


async def test_62_results_are_kept_while_one_hangs_and_one_loses_its_server(
    tmp_path: Path,
) -> None:
    """Over HTTP: the one whose server dies is UNKNOWN, the one that hangs is ended by a stop."""
    (run,) = new_runs(1)
    calls = [{"tool": "web.echo", "arguments": json.dumps({"key": str(n)})} for n in range(SOON)]
    calls += [{"tool": tool, "arguments": json.dumps({"key": tool})} for tool in TOOLS[1:]]
    model = {"name": "scripted/calls", "kind": "scripted", "model": "echo"}
    ledger = tmp_path / "ledger"
    program = ("tests.fakes.tool_server", str(ledger))
    async with printed(*program) as web, printed(*program) as gone:
        connections = [{"name": "web", "mcp": web.line}, {"name": "gone", "mcp": gone.line}]
        server = ServerProcess(
            tmp_path,
            models=[model | {"script": {"calls": {ASK: calls}}}],
            variables={"ANTIPHON_CONNECTIONS": json.dumps(connections)},
        )
        async with all_of([server]), server.client() as client:
            made = await client.create_conversation(tools=TOOLS)
            run.conversation_id = made.conversation_id
            for tool in TOOLS:
                await client.set_tool_rule(made.workspace_id, tool, TOOL_RULE_ALWAYS)
            await client.dispatch(run.conversation_id, ASK, turn_id=run.turn_id)
            async with reading(client, [run]):
                await until(lambda: len(lines_of(ledger)) == 2)
                os.kill(gone.pid, signal.SIGKILL)
                await until(lambda: len(outcomes(run.events)) == SOON + 1)
            turn = await client.cancel_turn(run.conversation_id, run.turn_id)
            assert turn.state == TURN_STATE_CANCELLED
            events = (await stored(client, [run]))[run.turn_id]
    told = [it.tool_call_finished for it in events if it.HasField("tool_call_finished")]
    kept = [it for it in told if it.outcome == TOOL_CALL_OUTCOME_SUCCEEDED]
    assert sorted(int(text_of(it.result)) for it in kept) == list(range(SOON))
    (lost,) = [it for it in told if it.outcome == TOOL_CALL_OUTCOME_UNKNOWN]
    assert "The answer of tool gone.hang was lost" in lost.error.message
    (stopped,) = [it for it in told if it.outcome == TOOL_CALL_OUTCOME_CANCELLED]
    assert {lost.tool_call_id, stopped.tool_call_id} == set(outcomes(events)) - {
        it.tool_call_id for it in kept
    }
    assert len(told) == SOON + 2
