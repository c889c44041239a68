"""The parser of the OpenAI wire's streams."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.integration.models.adapters.openai_stream import (
    MAX_ANSWER,
    MAX_LINE,
    AnswerParser,
    Malformed,
    ProviderFault,
)
from antiphon_server.integration.models.model import FinishReason, ModelEnd
from antiphon_server.integration.models.pricing import Tokens


def event(chunk: object, end: bytes = b"\n\n") -> bytes:
    return b"data: " + json.dumps(chunk).encode() + end


def delta(text: str | None) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


STOP = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
USAGE = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
DONE = b"data: [DONE]\n\n"
END = ModelEnd(FinishReason.STOP, Tokens(3, 4))


def parsed(*chunks: bytes) -> tuple[str, ModelEnd]:
    parser = AnswerParser()
    text = "".join([parser.feed(chunk) for chunk in chunks])
    return text, parser.end()


@given(
    texts=st.lists(st.text(max_size=8), max_size=8),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
    crlf=st.booleans(),
)
def test_chunks_may_be_cut_anywhere(texts: list[str], cuts: list[int], crlf: bool) -> None:
    """The same text comes out however the bytes arrive, with either line ending."""
    wire = b": hello\n\n" + b"".join(delta(text) for text in texts) + STOP + USAGE + DONE
    if crlf:
        wire = wire.replace(b"\n", b"\r\n")
    places = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    pieces = [wire[a:b] for a, b in itertools.pairwise(places)]
    assert parsed(*pieces) == ("".join(texts), END)


@pytest.mark.parametrize(
    "noise",
    [
        b": comment\n\n",
        b"event: message\nid: 7\nretry: 10\n",
        b"\n\n\n",
        event({"choices": []}),
        event({"choices": None, "usage": None}),
        event({"choices": [{"delta": None, "finish_reason": None}]}),
        event({"choices": [{"delta": {"role": "assistant", "content": None}}], "x": [1]}),
        event({"usage": {"prompt_tokens": None, "completion_tokens": None}}),
    ],
)
def test_what_means_nothing_is_passed_over(noise: bytes) -> None:
    """Comments, other fields, and chunks without text."""
    assert parsed(noise, delta("a"), noise, STOP, USAGE, noise, DONE, noise) == ("a", END)


def test_a_space_after_the_colon_may_be_missing() -> None:
    """As the specification of server-sent events allows."""
    assert parsed(delta("a").replace(b"data: ", b"data:"), b"data:[DONE]\n")[0] == "a"


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("tool_calls", FinishReason.TOOL_CALLS),
        ("something new", FinishReason.UNSPECIFIED),
    ],
)
def test_finish_reasons_are_the_contracts(reason: str, meaning: FinishReason) -> None:
    """Each known one, and unknown ones as unspecified."""
    finish = event({"choices": [{"delta": {}, "finish_reason": reason}]})
    assert parsed(finish, DONE)[1] == ModelEnd(meaning, None)


@pytest.mark.parametrize(
    "wire", [b"", delta("a"), delta("a") + b"data: [DO", b"<html>\n</html>\n", b'{"choices": []}\n']
)
def test_an_answer_without_an_end_broke_off(wire: bytes) -> None:
    """However much of it came."""
    parser = AnswerParser()
    parser.feed(wire)
    with pytest.raises(Malformed):
        parser.end()


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"7",
        b'{"choices": 7}',
        b'{"choices": [{"delta": {"content": 7}}]}',
        b'{"choices": [{"delta": {"content": "\xff\xfe"}}]}',
        b"",
        b"\x00" * 100,
        b"[" * 100_000,
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"error": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"usage": NaN, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"usage": ' + b"9" * 10_000 + b"e, }",
    ],
)
def test_garbage_is_malformed(data: bytes) -> None:
    """And nothing else is raised for it."""
    with pytest.raises(Malformed):
        AnswerParser().feed(b"data: " + data + b"\n")


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("halves", "whole"),
    [
        (["x\\ud83d", "\\ude00y"], "x\U0001f600y"),
        (["\\ud83d", "", "\\ude00"], "\U0001f600"),
        (["é\\ud83d", "\\ude00\\ud83d", "\\ude01"], "é\U0001f600\U0001f601"),
        (["\\ud83dx"], "\ufffdx"),
        (["x\\ude00"], "x\ufffd"),
        (["x\\ud83d"], "x\ufffd"),
        (["\\ud83d", "x"], "\ufffdx"),
    ],
)
def test_a_character_may_be_split(halves: list[str], whole: str, at_once: bool) -> None:
    """Its halves are put together, in one read or in several; a lone one is no character."""
    deltas = [
        f'data: {{"choices": [{{"delta": {{"content": "{half}"}}}}]}}\n\n'.encode()
        for half in halves
    ]
    chunks = [b"".join(deltas)] if at_once else deltas
    text, end = parsed(*chunks, STOP, USAGE, DONE)
    assert (text, end) == (whole, END)
    assert text.encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused(data: bytes) -> None:
    """No byte sequence gets another exception, or text that can't be sent on."""
    parser = AnswerParser()
    try:
        parser.feed(b"data: " + data + b"\n\n").encode()
        parser.end()
    except (Malformed, ProviderFault):
        return


def test_a_fault_in_the_stream_is_told_apart() -> None:
    """Providers report overload after a 200."""
    with pytest.raises(ProviderFault):
        AnswerParser().feed(event({"error": {"message": "overloaded"}}))


def test_a_line_has_a_limit() -> None:
    """A provider can't fill the memory with one line."""
    parser = AnswerParser()
    for _ in range(MAX_LINE // 4096):
        parser.feed(b"x" * 4096)
    with pytest.raises(Malformed):
        parser.feed(b"x")


def test_an_answer_has_a_limit() -> None:
    """Nor with many."""
    parser, line = AnswerParser(), delta("x" * 65536)
    for _ in range(MAX_ANSWER // 65536):
        parser.feed(line)
    with pytest.raises(Malformed):
        parser.feed(line)


@pytest.mark.parametrize(
    ("told", "progress"),
    [
        ({"total": 9, "cache": 0, "processed": 4, "time_ms": 1}, (4, 9)),
        ({"total": 4, "processed": 9}, None),
        ({"total": "9", "processed": 4}, None),
        ({"total": 1 << 31, "processed": 4}, None),
        ("half", None),
    ],
)
def test_progress_that_makes_no_sense_costs_nothing(
    told: object, progress: tuple[int, int] | None
) -> None:
    """Only llama.cpp tells it, in its own words; the answer comes all the same."""
    parser = AnswerParser()
    assert parser.feed(event({"choices": [], "prompt_progress": told})) == ""
    assert parser.progress == progress
    assert parser.feed(delta("so")) == "so"
