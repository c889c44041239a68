"""The texts of a JSON text as they are meant, and the same JSON with others."""

import json

import pytest

from antiphon_server.runtime.encoding.json_texts import JsonTexts


def texts(content: str) -> list[str]:
    """Those that are looked at."""
    return [text for text, _ in JsonTexts(content).texts]


def test_texts_are_what_is_meant() -> None:
    """However they are written; names and numbers are some, too, and so are members given twice."""
    said = '{"n\\u0061me": "\\u0061bc", "is": [true, null, 4111111111111111, 1e5], "is": "twice"}'
    assert texts(said) == ["name", "abc", "is", "4111111111111111", "1e5", "is", "twice"]


def test_nothing_can_be_put_in_place_of_names_and_numbers() -> None:
    """A string has as much room as it had before."""
    assert JsonTexts('{"name": "größe", "is": 12}').texts == [
        ("name", 0),
        ("größe", 7),
        ("is", 0),
        ("12", 0),
    ]


def test_what_nobody_changes_is_as_it_was_written() -> None:
    """To the last blank."""
    said = '{ "a":"\\u0061" ,"b" : [1.50, {}] }'
    assert JsonTexts(said).with_texts(texts(said)) == said


def test_other_texts_stand_in_their_places() -> None:
    """It stays JSON of the same shape, whatever they have."""
    said = '{"a": "x", "b": ["y", 2.50, {"c": "z"}], "d": false}'
    new = ["a", 'quo"te', "b", "new\nline", "2.50", "c", "\N{SNOWMAN}", "d"]
    left = JsonTexts(said).with_texts(new)
    assert json.loads(left) == {
        "a": 'quo"te',
        "b": ["new\nline", 2.5, {"c": "\N{SNOWMAN}"}],
        "d": False,
    }
    assert "2.50" in left


@pytest.mark.parametrize("said", ["nonsense", '{"a": ', "[" * 100_000, ""])
def test_what_is_no_json_is_one_text(said: str) -> None:
    """Who reads it refuses it."""
    assert JsonTexts(said).texts == [(said, 0)]


def test_halves_of_characters_are_looked_at_as_what_they_are_shown_as() -> None:
    """UTF-8 has none of them."""
    said = '{"a": "x\\ud800y"}'
    assert texts(said) == ["a", "x\ufffdy"]
    assert JsonTexts(said).with_texts(texts(said)) == said
