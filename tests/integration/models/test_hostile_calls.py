"""Streams of tool calls as no provider should send them: each comes to a typed outcome."""

from typing import Any

import pytest

from antiphon_server.integration.models.adapters.openai_stream import AnswerParser, Malformed
from antiphon_server.integration.models.model import FinishReason
from tests.integration.models.test_openai_stream import DONE, STOP, USAGE, delta, event
from tests.integration.models.test_tool_calls import begun, more, parsed, piece

TEXT = delta("Let me look.")
NAMED = {"name": "a", "arguments": "{}"}


def choice(finish: object = None, **of_delta: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": of_delta, "finish_reason": finish}]})


@pytest.mark.parametrize(
    ("wire", "calls"),
    [
        pytest.param(
            begun(0, "a") + begun(7, "b") + begun(3, "c") + more(7, '{"x": 1}'),
            [("a", "{}"), ("b", '{"x": 1}'), ("c", "{}")],
            id="an index that jumps",
        ),
        pytest.param(begun(-5, "a") + begun(2**70, "b"), [("a", "{}"), ("b", "{}")], id="far"),
        pytest.param(
            begun(0, "a", "same", "{}") + begun(1, "b", "same", "{}"),
            [("a", "{}"), ("b", "{}")],
            id="the same id twice, elsewhere",
        ),
        pytest.param(
            piece(id="x", function=NAMED) + piece(id="x", function=NAMED | {"name": "b"}),
            [("a", "{}"), ("b", "{}")],
            id="the same id twice, without an index",
        ),
        pytest.param(
            piece(index=0, id="x", function=NAMED) + piece(index=0, id="x", function=NAMED),
            [("a", "{}{}")],
            id="a call sent twice is not two",
        ),
        pytest.param(begun(0, "") + more(0, "{}"), [("(no name)", "{}")], id="no name"),
        pytest.param(
            begun(0, "") + piece(index=0, function={"name": "late"}), [("late", "{}")], id="late"
        ),
        pytest.param(begun(0, "rm -rf /"), [("rm -rf /", "{}")], id="a name that is not offered"),
        pytest.param(begun(0, "a", arguments="[1, 2]"), [("a", "[1, 2]")], id="a list"),
        pytest.param(begun(0, "a", arguments=[1, 2]), [("a", "[1, 2]")], id="a list itself"),
        pytest.param(begun(0, "a", arguments="null"), [("a", "null")], id="null in words"),
        pytest.param(begun(0, "a", arguments=False), [("a", "false")], id="false"),
        pytest.param(begun(0, "a", arguments={}), [("a", "{}")], id="an empty object"),
        pytest.param(
            piece(index=0, function={"name": "a"})
            + piece(index=0, function={"arguments": {"x": 1}}),
            [("a", '{"x": 1}')],
            id="an object, later",
        ),
        pytest.param(
            piece(index=None, id=None, type=None, function={"name": "a", "arguments": None}),
            [("a", "{}")],
            id="nulls",
        ),
        pytest.param(begun(0, "a") + piece(index=0, function=None), [("a", "{}")], id="empty"),
        pytest.param(
            begun(0, "a") + choice(content=None, tool_calls=None), [("a", "{}")], id="null calls"
        ),
        pytest.param(begun(0, "a") + choice(tool_calls=[]), [("a", "{}")], id="no calls"),
        pytest.param(begun(0, "a\ud83d"), [("a\ufffd", "{}")], id="half a character in a name"),
        pytest.param(
            begun(0, "a", arguments='{"x": "\ud83d') + more(0, '\ude00"}'),
            [("a", '{"x": "\U0001f600"}')],
            id="a character in halves",
        ),
    ],
)
@pytest.mark.parametrize("finish", ["stop", "tool_calls", "function_call", "odd", None])
def test_nothing_is_lost_and_others_are_unhurt(
    wire: bytes, calls: list[tuple[str, str]], finish: str | None
) -> None:
    """Text before it and a call behind it come as they are; no usage has to be there."""
    whole = TEXT + wire + begun(99, "last", arguments="{}") + choice(finish) + DONE
    text, found, end = parsed(whole)
    assert (text, found) == ("Let me look.", [*calls, ("last", "{}")])
    assert (end.reason, end.tokens) == (FinishReason.TOOL_CALLS, None)
    assert all(name.encode() and text.encode() for name, text in found)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"index": "0", "function": NAMED}, id="index"),
        pytest.param({"index": 0, "id": 7, "function": NAMED}, id="id"),
        pytest.param({"index": 0, "function": {"name": 7}}, id="name"),
        pytest.param({"index": 0, "function": "a"}, id="function"),
        pytest.param("a", id="the call"),
        pytest.param(None, id="null"),
    ],
)
def test_fields_of_other_types_are_malformed(bad: object) -> None:
    """A call that can't be read is not guessed at."""
    with pytest.raises(Malformed):
        parsed(TEXT, choice(tool_calls=[bad]), STOP, DONE)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([begun(0, "a"), *[more(0, "x" * 1000)] * 10_000], id="endless arguments"),
        pytest.param([begun(at, "a") for at in range(10_000)], id="10,000 calls"),
        pytest.param([choice(tool_calls=[{"index": at} for at in range(10_000)])], id="at once"),
        pytest.param([begun(0, "a"), *[begun(0, "a", f"id {n}") for n in range(100)]], id="ids"),
        pytest.param(
            [begun(0, "a"), *[begun(0, "a", arguments={"x": "y" * 1000})] * 1000], id="objects"
        ),
    ],
)
def test_what_never_ends_is_refused_at_its_limit(pieces: list[bytes]) -> None:
    """Long before it is all there."""
    parser, left = AnswerParser(), iter(pieces)
    with pytest.raises(Malformed):
        all(parser.feed(it) == "" for it in left)
    assert len(pieces) == 1 or len(list(left)) > len(pieces) // 4


def test_a_call_may_come_in_many_pieces() -> None:
    """Empty ones, too."""
    _, calls, _ = parsed(begun(0, "a"), *[more(0, "")] * 50_000, STOP, USAGE, DONE)
    assert calls == [("a", "{}")]
