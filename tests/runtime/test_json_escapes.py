"""Letters that programs have written as escapes of JSON."""

import json

import pytest

from antiphon_server.runtime.encoding.json_escapes import unescaped

TEXTS = [
    "plain",
    "\u0431 \u200b \u00e9 \x7f",
    'a "quoted" \\ back\\u0041',
    "\n\t\x00",
    "\U0001f600",
]


@pytest.mark.parametrize("text", TEXTS)
def test_it_is_the_same_json(text: str) -> None:
    """Whatever stands in it."""
    assert json.loads(unescaped(json.dumps({"a": text}))) == {"a": text}


def test_letters_are_read() -> None:
    """Also what nobody sees; no letter is made of what is no escape."""
    assert unescaped(json.dumps("\u0431\u200b")) == '"\u0431\u200b"'
    assert unescaped(r"\\u0041 \u00zz \u004") == r"\\u0041 \u00zz \u004"
