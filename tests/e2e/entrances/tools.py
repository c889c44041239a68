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
RULES = {RETURNING: TOOL_RULE_ALWAYS, DENIED: TOOL_RULE_ASK, ASKING: TOOL_RULE_ALWAYS}
"""What returns a sample, what people deny, and what asks them for words."""
TOOLS = ["corpus.*"]
SAMPLES = {it.name: it for it in (*ATTACKS, *HARMLESS)}
CALL = {DENIED: "Call what people deny", ASKING: "Call what asks"}
_QUESTION = {
    "method": "elicitation/create",
    "params": {
        "mode": "form",
        "message": "Which words?",
        "requestedSchema": {
            "type": "object",
            "properties": {"words": {"type": "string"}},
            "required": ["words"],
        },
    },
}


def model() -> dict[str, Any]:
    """A model that calls the tool a message names."""
    calls = {text: [{"tool": tool, "arguments": "{}"}] for tool, text in CALL.items()}
    for name in SAMPLES:
        calls[name] = [{"tool": RETURNING, "arguments": json.dumps({"key": name})}]
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
        if f"corpus.{params['name']}" == ASKING and not params.get("inputResponses"):
            return {"resultType": "input_required", "inputRequests": {"words": _QUESTION}}
        sample = SAMPLES.get(params.get("arguments", {}).get("key", ""))
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


async def _ended(client: Client, where: str) -> str:
    async with aclosing(aiter(client.follow(f"conversations/{where}", earliest=True))) as events:
        async for event in events:
            if event.HasField("tool_call_finished"):
                end = event.tool_call_finished
                return error_of_status(end.error).reason if end.HasField("error") else ""
    raise AssertionError("the log ended")
