"""Questions of tools that nobody trusts."""

import json
from typing import Any

import pytest

from antiphon_server.integration.tools.forms import form, page, with_words, words
from antiphon_server.runtime.encoding.forms import NotShown


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": "string"}}, "required": [[]]},
        {"properties": {"a": {"type": "number", "default": float("nan")}}},
        {"properties": {"a": {"type": "number", "maximum": float("inf")}}},
    ],
)
def test_a_form_is_json_or_not_shown(schema: Any) -> None:
    """A browser reads it by JSON.parse, which knows no NaN."""
    with pytest.raises(NotShown):
        form("How much?", schema)


def test_a_number_of_json_is_shown() -> None:
    """As it was said."""
    question = form("How much?", {"properties": {"a": {"type": "number", "maximum": 1.5}}})
    assert json.loads(question.schema)["properties"]["a"] == {"type": "number", "maximum": 1.5}


@pytest.mark.parametrize("url", ["http://good.example:99999999/", "ftp://good.example/", "http://"])
def test_a_page_is_one_that_a_browser_can_name(url: str) -> None:
    """It shows its host by ``new URL``, which throws for such a port."""
    with pytest.raises(NotShown):
        page("Go there.", url)


def test_what_nobody_sees_is_looked_at_as_it_was_written() -> None:
    """People are shown that something is there, which would be in the way of finding words."""
    field = {"type": "string", "title": "blue\u200bbird?", "default": "a\u200b"}
    question = form("a blue\u200bbird", {"properties": {"a": field}})
    assert question.message == "a blue\ufffdbird"
    said = [text for text, _ in words(question)]
    assert said == ["a blue\u200bbird", "", "a", "blue\u200bbird?", "a\u200b"]
    assert with_words(question, said) == question
    left = with_words(question, ["a *\u200b", *said[1:]])
    assert (left.message, left.schema) == ("a *\ufffd", question.schema)
    assert left.question_id == question.question_id
