"""What tools return, and the server that has them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS, TOOL_RULE_ASK
from antiphon_client import Client
from antiphon_client.status import error_of_status
from tests.e2e.entrances.entrance import Stage, reason_of
from tests.fakes.tool_server import RunLedger, Tools, serve_http
from tests.filters.corpus import ATTACKS, HARMLESS, Sample

RETURNING, DENIED, ASKING = "corpus.echo", "corpus.note_again", "corpus.note"
QUESTIONING = "corpus.hang"
RULES = {
    RETURNING: TOOL_RULE_ALWAYS,
    DENIED: TOOL_RULE_ASK,
    ASKING: TOOL_RULE_ALWAYS,
    QUESTIONING: TOOL_RULE_ALWAYS,
}
"""What returns a sample, what people deny, what asks them for words, and what asks by a sample."""
TOOLS = ["corpus.*"]
SAMPLES = {it.name: it for it in (*ATTACKS, *HARMLESS)}
CALL = {DENIED: "Call what people deny", ASKING: "Call what asks"}


def _question(message: str) -> dict[str, Any]:
    form = {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]}
    params = {"mode": "form", "message": message, "requestedSchema": form}
    return {"method": "elicitation/create", "params": params}


def model() -> dict[str, Any]:
    """A model that calls the tool a message names."""
    calls = {text: [{"tool": tool, "arguments": "{}"}] for tool, text in CALL.items()}
    for name in SAMPLES:
        arguments = json.dumps({"key": name})
        calls[name] = [{"tool": RETURNING, "arguments": arguments}]
        calls[f"ask {name}"] = [{"tool": QUESTIONING, "arguments": arguments}]
    return {
        "name": "scripted/echo",
        "kind": "scripted",
        "model": "echo",
        "script": {"calls": calls},
    }


class _Corpus(Tools):
    async def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        if method != "tools/call":
            return await super()._result(method, params)
        sample, tool = SAMPLES.get(params.get("arguments", {}).get("key", "")), params["name"]
        asks = {ASKING: ["Which words?"], QUESTIONING: sample.parts if sample else []}
        if (asked := asks.get(f"corpus.{tool}")) and not params.get("inputResponses"):
            questions = {str(at): _question(it) for at, it in enumerate(asked)}
            return {"resultType": "input_required", "inputRequests": questions}
        return {
            "content": [{"type": "text", "text": it} for it in (sample.parts if sample else ())]
        }


@asynccontextmanager
async def corpus_server(ledger: RunLedger) -> AsyncIterator[str]:
    """Its URL."""
    url = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_http(_Corpus(ledger), url.set_result))
    try:
        yield await url
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def called(stage: Stage, sample: Sample) -> str:
    """What a tool returns that somebody calls."""
    arguments = {"key": sample.name}
    return await reason_of(stage.client.call_tool(stage.workspace, RETURNING, arguments))


async def called_in_turn(stage: Stage, sample: Sample) -> str:
    """What a tool returns to a turn."""
    where = (await stage.client.create_conversation(tools=TOOLS)).conversation_id
    await stage.client.dispatch(where, sample.name)
    return await _ended(stage.client, where)


async def asked_in_turn(stage: Stage, sample: Sample) -> str:
    """What a tool asks people, of each part one question, while a turn calls it."""
    where = (await stage.client.create_conversation(tools=TOOLS)).conversation_id
    turn_id = (await stage.client.dispatch(where, f"ask {sample.name}")).turn.turn_id
    reason = await _ended(stage.client, where)
    await stage.client.cancel_turn(where, turn_id)
    return reason


async def _ended(client: Client, where: str) -> str:
    """Why a call was refused; it has ended, or waits for people."""
    async with aclosing(aiter(client.follow(f"conversations/{where}", earliest=True))) as events:
        async for event in events:
            if event.HasField("tool_call_question_asked"):
                return ""
            if event.HasField("tool_call_finished"):
                end = event.tool_call_finished
                return error_of_status(end.error).reason if end.HasField("error") else ""
    raise AssertionError("the log ended")
