"""Models that ask for tools, whichever wire they are on: OpenAI's, or a provider's own."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest

from antiphon_server.integration.models.adapters.openai_calls import MAX_ARGUMENTS, MAX_CALLS
from antiphon_server.integration.models.adapters.openai_wire import OpenAIModel
from antiphon_server.integration.models.model import (
    FinishReason,
    ModelEnd,
    ModelStep,
    Part,
    Prompt,
    PromptMessage,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)
from antiphon_server.integration.models.ports import ModelBackend
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.net.http_pool import HttpPool
from tests.e2e.refusals import Refused
from tests.fakes.anthropic_endpoint import FakeAnthropic
from tests.fakes.openai_endpoint import Behaviour, FakeEndpoint
from tests.integration.models.test_pydantic_ai import claude
from tests.integration.world import on_wire

Calls = Sequence[tuple[str, Sequence[str]]]
SCHEMA = {"type": "object", "properties": {"zone": {"type": "string"}}}
TOOLS = (
    ToolDefinition("antiphon.time", "The time.", json.dumps(SCHEMA)),
    ToolDefinition("antiphon.search", "Searches.", '{"type": "object"}'),
)
ASKED = PromptMessage("user", (Part("text", "What time is it?"),))
TEXT = "The capital is Paris."


@dataclass
class Wire:
    """A model, and how its endpoint is told what to answer; ``bodies`` are what it was asked."""

    model: ModelBackend
    answer: Callable[..., None]
    bodies: Callable[[], list[dict[str, Any]]]


@asynccontextmanager
async def on_openai(pool: HttpPool) -> AsyncIterator[Wire]:
    async with FakeEndpoint(Behaviour(deltas=1, text=TEXT)) as endpoint:

        def answer(calls: Calls, *, cut: bool = False) -> None:
            mode = "length" if cut else "ok"
            endpoint.behaviour = Behaviour(mode, deltas=1, text=TEXT, calls=calls)

        model = OpenAIModel(on_wire(endpoint.base_url), pool)
        yield Wire(model, answer, lambda: [it.body for it in endpoint.seen])


@asynccontextmanager
async def on_anthropic() -> AsyncIterator[Wire]:
    async with FakeAnthropic() as endpoint:

        def answer(calls: Calls, *, cut: bool = False) -> None:
            endpoint.mode, endpoint.calls = "length" if cut else "ok", calls

        model = claude(endpoint)
        yield Wire(model, answer, lambda: endpoint.bodies)
        await model.close()


PROVIDER = pytest.param(
    "anthropic",
    marks=pytest.mark.skipif(find_spec("anthropic") is None, reason="`providers` is missing"),
)


@pytest.fixture(params=["openai", PROVIDER])
async def wire(request: pytest.FixtureRequest, pool: HttpPool) -> AsyncIterator[Wire]:
    async with on_openai(pool) if request.param == "openai" else on_anthropic() as wire:
        yield wire


async def answered(
    wire: Wire, *messages: PromptMessage
) -> tuple[str, list[tuple[str, str]], ModelEnd]:
    prompt = Prompt(messages or (ASKED,), tools=TOOLS)
    steps: list[ModelStep] = [step async for step in wire.model.generate(prompt)]
    end, calls = steps.pop(), [it for it in steps if isinstance(it, ToolCall)]
    assert isinstance(end, ModelEnd)
    assert len({it.call_id for it in calls}) == len(calls)
    text = "".join([it for it in steps if isinstance(it, str)])
    return text, [(it.tool, it.arguments) for it in calls], end


async def test_calls_come_behind_the_text(wire: Wire) -> None:
    """Several at once, their arguments in pieces, by the names that the tools have here."""
    wire.answer(
        [("antiphon__time", ['{"zo', 'ne": "U', 'TC"}']), ("antiphon__search", []), ("odd", ["{}"])]
    )
    text, calls, end = await answered(wire)
    assert text == TEXT
    assert calls == [("antiphon.time", '{"zone": "UTC"}'), ("antiphon.search", "{}"), ("odd", "{}")]
    assert end.reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize("arguments", ["{oops", "[1]", '"text"', "null", '{"a": 1}{"b": 2}'])
async def test_garbled_arguments_are_handed_on(wire: Wire, arguments: str) -> None:
    """As they came: who makes the call says what is wrong, and the model is told; others stay."""
    wire.answer([("antiphon__time", [arguments]), ("antiphon__search", ["{}"])])
    _, calls, end = await answered(wire)
    assert calls == [("antiphon.time", arguments), ("antiphon.search", "{}")]
    assert end.reason is FinishReason.TOOL_CALLS


async def test_an_answer_that_was_cut_off_says_so(wire: Wire) -> None:
    """Its last call may be half of one."""
    wire.answer([("antiphon__time", ['{"zo'])], cut=True)
    _, calls, end = await answered(wire)
    assert (calls, end.reason) == ([("antiphon.time", '{"zo')], FinishReason.LENGTH)


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param([("antiphon__time", [])] * (MAX_CALLS + 1), id="many"),
        pytest.param([("antiphon__time", ["x" * 9000] * (MAX_ARGUMENTS // 9000 + 1))], id="long"),
    ],
)
async def test_too_much_is_refused(wire: Wire, calls: Calls) -> None:
    """Nobody asks for so many calls, or for one that long."""
    wire.answer(calls)
    with Refused(Reason.MODEL_PROTOCOL):
        await answered(wire)


async def test_tools_calls_and_results_are_told(wire: Wire) -> None:
    """All that stands in the prompt is in the request, garbled arguments and empty texts, too."""
    calls = [
        ToolCall(ToolCallId("tool_1"), "antiphon.time", '{"zone": "UTC"}'),
        ToolCall(ToolCallId("tool_2"), "gone.tool", "{oops"),
    ]
    results = [
        PromptMessage("user", (Part("text", f"result {at}"),), answers=it.call_id)
        for at, it in enumerate(calls)
    ]
    await answered(wire, ASKED, PromptMessage("assistant", (), tuple(calls)), *results)
    (body,) = wire.bodies()
    told = json.dumps(body)
    for part in ("antiphon__search", "The time.", "gone__tool", "tool_1", "oops", "result 1"):
        assert part in told
    assert len(body["tools"]) == 2


async def test_results_come_together(wire: Wire) -> None:
    """Right behind the message that asked for them, each with the id of its call."""
    call = ToolCall(ToolCallId("tool_1"), "antiphon.time", "{}")
    other = ToolCall(ToolCallId("tool_2"), "antiphon.time", "{}")
    results = [
        PromptMessage("user", (Part("text", "08:00"),), answers=it.call_id) for it in (call, other)
    ]
    said = PromptMessage("assistant", (Part("text", "Let me look."),), (call, other))
    await answered(wire, ASKED, said, *results)
    (body,) = wire.bodies()
    told = body["messages"][2:]
    if "tool_call_id" in told[0]:
        assert [it["tool_call_id"] for it in told] == ["tool_1", "tool_2"]
    else:
        assert [it["tool_use_id"] for it in told[0]["content"]] == ["tool_1", "tool_2"]


async def test_without_tools_nothing_is_told_of_any(wire: Wire) -> None:
    """The request is what it was."""
    async for _ in wire.model.generate(Prompt((ASKED,))):
        pass
    assert "tool" not in json.dumps(wire.bodies())
