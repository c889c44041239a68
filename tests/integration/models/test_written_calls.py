"""Tools told in words, and calls written as lines of JSON: what local models do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.integration.models.adapters.openai_calls import MAX_ARGUMENTS, MAX_CALLS
from antiphon_server.integration.models.adapters.told_tools import grammar, in_words
from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.adapters.written_calls import WrittenCalls
from antiphon_server.integration.models.model import (
    Part,
    Prompt,
    PromptMessage,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)

TIME = ToolDefinition("antiphon.time", 'The "time".', '{"type": "object",\n "properties": {}}')
SYSTEM = PromptMessage("system", (Part("text", "Be brief."),))
ASKED = PromptMessage("user", (Part("text", "What time is it?"),))
LINE = '{"name": "antiphon__time", "arguments": {"zone": "UTC"}}'
CALL = ("antiphon__time", '{"zone": "UTC"}')


def written(*texts: str) -> tuple[str, list[tuple[str, str]]]:
    calls = WrittenCalls(["antiphon__time"])
    said = "".join([calls.feed(text) for text in texts])
    rest, found = calls.end()
    return said + rest, found


@pytest.mark.parametrize(
    ("text", "said", "calls"),
    [
        pytest.param(LINE, "", [CALL], id="a call"),
        pytest.param(f"{LINE}\n{LINE}", "", [CALL, CALL], id="two"),
        pytest.param(f"Let me look.\n{LINE}", "Let me look.\n", [CALL], id="behind text"),
        pytest.param(f"```json\n{LINE}\n```", "", [CALL], id="fenced"),
        pytest.param(json.dumps(json.loads(LINE), indent=2), "", [CALL], id="in several lines"),
        pytest.param(f"{LINE}\nThat will tell.", "That will tell.", [CALL], id="before text"),
        pytest.param("", "", [], id="nothing"),
        *[
            pytest.param(text, text, [], id=f"text {at}")
            for at, text in enumerate(
                [
                    "It is 8.\n\nReally.\n",
                    f"I would say {LINE}",
                    LINE[:-1],
                    LINE.replace("antiphon__time", "clock"),
                    '{"name": ["antiphon__time"], "arguments": {}}',
                    '```json\n{"name": "Ann", "age": 3}\n```',
                    '{"name": "antiphon__time", "arguments": ' + "[" * 5000,
                    '{"name": "' + "x" * (MAX_ARGUMENTS + 9),
                    "```python\nprint({})\n```",
                ]
            )
        ],
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_lines_that_call_a_tool_are_calls(
    text: str, said: str, calls: list[tuple[str, str]], size: int
) -> None:
    """All else is text, as it came, in whatever pieces."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert written(*pieces) == (said, calls)


@given(st.lists(st.sampled_from(["\n", "```", "json", "{", LINE[:9], LINE, "text ", " "])))
def test_nothing_of_a_text_without_calls_is_lost(texts: list[str]) -> None:
    """However much it looks like one."""
    said, calls = written(*texts)
    assert calls or said == "".join(texts)


def test_text_comes_at_once() -> None:
    """Only what may be a call is kept back."""
    calls = WrittenCalls(["antiphon__time"])
    assert calls.feed("It is") == "It is"
    assert calls.feed(" 8.\n{") == " 8.\n"
    assert calls.feed('"name') == ""
    assert calls.feed('d": 1}') == '{"named": 1}'


def test_calls_are_bounded() -> None:
    """What is written beyond the limit stays text."""
    said, calls = written("\n".join([LINE] * (MAX_CALLS + 2)))
    assert (len(calls), said) == (MAX_CALLS, f"{LINE}\n{LINE}")


def test_tools_calls_and_results_are_told_in_words() -> None:
    """The results of one step as one message, since templates want turns to alternate."""
    first = ToolCall(ToolCallId("tool_1"), "antiphon.time", '{"zone": "UTC"}')
    second = ToolCall(ToolCallId("tool_2"), "antiphon.time", "{oops")
    calling = PromptMessage("assistant", (Part("text", "Let me look."),), (first, second))
    results = [
        PromptMessage("user", (Part("text", text),), answers=call.call_id)
        for call, text in ((first, "08:00"), (second, "no JSON"))
    ]
    prompt = Prompt((SYSTEM, ASKED, calling, *results), tools=(TIME,))
    told = in_words(prompt, ToolNames(prompt.tools, prompt.messages))
    assert not told.tools
    system, asked, called, answered = told.messages
    tool = '{"name": "antiphon__time", "description": "The \\"time\\".", "arguments": '
    assert f'{tool}{{"type":"object","properties":{{}}}}}}\n' in system.text
    assert system.text.startswith("Be brief.\n\n")
    assert asked is ASKED
    assert called.text == (
        f'Let me look.\n{LINE}\n{{"name": "antiphon__time", "arguments": "{{oops"}}'
    )
    assert (called.role, called.calls) == ("assistant", ())
    assert answered.text == (
        "Result of antiphon__time:\n08:00\n\nResult of antiphon__time:\nno JSON"
    )
    assert (answered.role, answered.answers) == ("user", None)


def test_a_prompt_without_tools_stays_as_it_is() -> None:
    """It costs what it did."""
    prompt = Prompt((SYSTEM, ASKED))
    assert in_words(prompt, ToolNames(())) == prompt


def test_the_grammar_names_the_tools() -> None:
    """And no other can be called."""
    assert grammar(["a__b", "c"]).endswith('\nname ::= "\\"a__b\\"" | "\\"c\\""\n')
