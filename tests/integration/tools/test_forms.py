"""Questions of tools that nobody trusts."""

import json
from typing import Any

import pytest

from antiphon_server.integration.tools.forms import form, page
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
