"""Models that ask for tools, on the OpenAI wire and by a script."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.integration.models.adapters.openai_calls import MAX_ARGUMENTS, MAX_CALLS
from antiphon_server.integration.models.adapters.openai_request import encode_request
from antiphon_server.integration.models.adapters.openai_stream import AnswerParser, Malformed
from antiphon_server.integration.models.adapters.scripted import ScriptedModel
from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.fitting import fitted
from antiphon_server.integration.models.model import (
    FinishReason,
    ModelEnd,
    Order,
    Part,
    Prompt,
    PromptMessage,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)
from antiphon_server.integration.models.room import Room
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.integration.models.tokens import tokens_of_message
from antiphon_server.runtime.configuration import configured
from tests.integration.models.test_openai_stream import DONE, STOP, USAGE, delta, event
from tests.integration.world import on_wire, order

TIME = ToolDefinition("antiphon.time", "The time.", '{"type": "object"}')
ASKED = PromptMessage("user", (Part("text", "What time is it?"),))
CALL = ToolCall(ToolCallId("tool_1"), "antiphon.time", '{"zone": "UTC"}')
CALLING = PromptMessage("assistant", (Part("text", "Let me look."),), (CALL,))
TOLD = PromptMessage("user", (Part("text", "08:00"),), answers=CALL.call_id)


def piece(**call: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})


def begun(index: int, name: str, identity: str | None = None, arguments: object = "") -> bytes:
    function = {"name": name, "arguments": arguments}
    return piece(index=index, id=identity or f"call_{index}", function=function)


def more(index: int, arguments: str) -> bytes:
    return piece(index=index, function={"arguments": arguments})


def parsed(*chunks: bytes) -> tuple[str, list[tuple[str, str]], ModelEnd]:
    parser = AnswerParser()
    text = "".join([parser.feed(chunk) for chunk in chunks])
    end = parser.end()
    calls = parser.calls()
    assert len({it.call_id for it in calls}) == len(calls)
    return text, [(it.tool, it.arguments) for it in calls], end


@given(cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_pieces_of_several_calls_may_come_anyhow(cuts: list[int]) -> None:
    """Side by side, cut anywhere, behind text."""
    wire = delta("Let me look.") + begun(0, "a") + begun(1, "b")
    wire += more(0, '{"x"') + more(1, "{}") + more(0, ": 1}") + STOP + USAGE + DONE
    places = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    text, calls, end = parsed(*[wire[a:b] for a, b in itertools.pairwise(places)])
    assert (text, calls) == ("Let me look.", [("a", '{"x": 1}'), ("b", "{}")])
    assert end.reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("wire", "calls"),
    [
        pytest.param(begun(0, "a", arguments={"x": 1}), [("a", '{"x": 1}')], id="an object"),
        pytest.param(begun(0, "a") + begun(0, "b", "other"), [("a", "{}"), ("b", "{}")], id="ids"),
        pytest.param(
            piece(function={"name": "a", "arguments": "{}"})
            + piece(function={"name": "b", "arguments": "{}"}),
            [("a", "{}"), ("b", "{}")],
            id="no index and no id",
        ),
        pytest.param(
            begun(0, "a", "same", "{") + begun(0, "a", "same", "}"), [("a", "{}")], id="repeated"
        ),
        pytest.param(begun(0, "a", arguments="{oops"), [("a", "{oops")], id="garbled"),
        pytest.param(piece(index=0, id="x"), [("(no name)", "{}")], id="nothing in it"),
        pytest.param(begun(0, "n" * 500), [("n" * 160, "{}")], id="a long name"),
    ],
)
def test_what_providers_send_instead(wire: bytes, calls: list[tuple[str, str]]) -> None:
    """Their ways are understood, and what can't be is handed on as it came."""
    assert parsed(wire, STOP, DONE)[1] == calls


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"".join(begun(n, "a") for n in range(MAX_CALLS + 1)), id="many"),
        pytest.param(begun(0, "a") + more(0, "x" * (MAX_ARGUMENTS + 1)), id="long"),
    ],
)
def test_too_much_is_refused(wire: bytes) -> None:
    """Nobody asks for so many calls, or for one that long."""
    with pytest.raises(Malformed):
        parsed(wire, STOP, DONE)


def test_an_answer_that_was_cut_off_says_so() -> None:
    """Its calls may be halves."""
    cut = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
    _, calls, end = parsed(begun(0, "a", arguments='{"x'), cut, DONE)
    assert (calls, end.reason) == ([("a", '{"x')], FinishReason.LENGTH)


def test_the_request_tells_tools_calls_and_results() -> None:
    """By the names that the wire allows; without tools nothing is told of any."""
    prompt = Prompt((ASKED, CALLING, TOLD), tools=(TIME,))
    settings = on_wire("http://127.0.0.1:9/v1")
    names = ToolNames(prompt.tools, prompt.messages)
    body = json.loads(encode_request(settings, prompt, names))
    function = {
        "name": "antiphon__time",
        "description": "The time.",
        "parameters": {"type": "object"},
    }
    assert body["tools"] == [{"type": "function", "function": function}]
    called = {"name": "antiphon__time", "arguments": '{"zone": "UTC"}'}
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [{"id": "tool_1", "type": "function", "function": called}],
        },
        {"role": "tool", "tool_call_id": "tool_1", "content": "08:00"},
    ]
    assert "tools" not in json.loads(encode_request(settings, Prompt((ASKED,)), ToolNames(())))


@given(st.lists(st.text(st.sampled_from("ab._-/ä"), min_size=1, max_size=90), unique=True))
def test_every_name_is_told_and_found_again(names: list[str]) -> None:
    """However alike they are; each is one that the wire allows."""
    told = ToolNames([ToolDefinition(name, "", "{}") for name in names])
    on_the_wire = [told.told(name) for name in names]
    assert [told.known(name) for name in on_the_wire] == names
    assert all(name.isascii() and len(name) <= 64 for name in on_the_wire)


def test_an_invented_name_stays_as_it_was_said() -> None:
    """The call of it is refused where tools are known."""
    assert ToolNames([TIME]).known("antiphon__clock") == "antiphon__clock"


def test_calls_and_tools_take_room() -> None:
    """What a model is told of tools is not there for the history."""
    assert tokens_of_message(CALLING) > tokens_of_message(PromptMessage("assistant", CALLING.parts))
    plain = order()
    history = (PromptMessage("user", (Part("text", "x" * 400),)),)
    large = ToolDefinition("a.b", "d" * 4_000, "{}")
    asked: Order = Order(plain.payer, (), plain.prompt, history)
    with_tools = Order(plain.payer, (), Prompt(plain.prompt.messages, tools=(large,)), history)
    room, text = Room(1_000, 100), frozenset({"text"})
    assert len(fitted(asked, room, text).history) == 1  # type: ignore[arg-type]
    assert not fitted(with_tools, room, text).history  # type: ignore[arg-type]


async def test_a_scripted_model_asks_for_what_it_is_told_to() -> None:
    """Once; then it repeats what came of it. Of a tool that it does not have it says nothing."""
    script = {"calls": {ASKED.text: [{"tool": "antiphon.time", "arguments": "{}"}]}}
    given_ = {"name": "scripted/echo", "kind": "scripted", "model": "echo", "script": script}
    model = ScriptedModel(configured(given_, ModelSettings))
    first = [it async for it in model.generate(Prompt((ASKED,), tools=(TIME,)))]
    assert [it.tool for it in first if isinstance(it, ToolCall)] == ["antiphon.time"]
    second = [it async for it in model.generate(Prompt((ASKED, CALLING, TOLD), tools=(TIME,)))]
    assert second[0] == "08:00"
    without = [it async for it in model.generate(Prompt((ASKED,)))]
    assert not [it for it in without if isinstance(it, ToolCall)]
