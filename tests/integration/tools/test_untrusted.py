"""What sources outside say of their tools."""

import json
from dataclasses import replace

import pytest

from antiphon_server.integration.tools.model import Definition, ToolName
from antiphon_server.integration.tools.untrusted import MOST_BYTES, MOST_NAMED, MOST_TOOLS, accepted
from tests.integration.tools.sources import ANY, tool

HIDDEN = {
    "zero width": "\u200b",
    "joiner": "\u200d",
    "right to left": "\u202e",
    "isolate": "\u2066",
    "tag": "\U000e0041",
    "variation": "\ufe0f",
    "variation of ideographs": "\U000e0100",
    "private": "\ue000",
    "surrogate": "\ud83d",
    "soft hyphen": "\u00ad",
    "byte order": "\ufeff",
    "filler": "\u3164",
    "grapheme joiner": "\u034f",
    "line": "\u2028",
    "escape": "\x1b",
    "unassigned": "\U000e0fff",
}


def taken(*definitions: Definition) -> list[str]:
    return list(accepted(definitions).definitions)


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_what_nobody_sees_is_shown(hidden: str) -> None:
    """In title, description and schema; a name or a member with it leaves the tool out."""
    schema = json.dumps({"type": "object", "description": f"a{hidden}b"})
    told = replace(tool(schema=schema), title=f"T{hidden}", description=f"It{hidden} adds.")
    (it,) = accepted([told]).definitions.values()
    assert (it.title, it.description) == ("T\ufffd", "It\ufffd adds.")
    assert json.loads(it.input_schema)["description"] == "a\ufffdb"
    named = accepted([tool(f"test.o{hidden}ne")])
    assert (named.definitions, named.left_out) == ({}, 1)
    assert named.refused[0].name == "test.o\ufffdne"
    member = json.dumps({"type": "object", "properties": {f"path{hidden}": {}}})
    assert "nobody sees" in accepted([tool(schema=member)]).refused[0].why


@pytest.mark.parametrize(
    "name",
    ["test.", "one", "Test.one", "test.o ne", "test.\u043ene", "test.a" + "b" * 95, "test.o\nne"],
)
def test_a_name_is_one_that_can_be_written(name: str) -> None:
    """As the contract has it."""
    assert taken(tool(name)) == []


@pytest.mark.parametrize("other", ["test.READ_file", "test.read_f1le", "test.read_fi1e"])
def test_of_names_that_look_alike_the_first_is_taken(other: str) -> None:
    """Whatever stands between them; and who is left out is told for whom."""
    found = accepted([tool("test.read_file"), tool("test.write"), tool(other)])
    assert list(found.definitions) == ["test.read_file", "test.write"]
    assert found.refused[0].why == "its name looks like test.read_file"


def test_what_a_schema_escapes_stays() -> None:
    """Quotes, backslashes and lines are seen by everybody."""
    schema = {"type": "object", "description": 'say "a\\u001b"\n\tand \\\\'}
    (it,) = accepted([tool(schema=json.dumps(schema))]).definitions.values()
    assert json.loads(it.input_schema) == schema


def test_letters_of_all_languages_stay() -> None:
    """Also lines and tabs of a description."""
    text = "Zählt Wörter.\n\t言葉を数える。 🙂 مرحبا"
    (it,) = accepted([replace(tool(), description=text)]).definitions.values()
    assert it.description == text


def test_a_long_description_is_cut_and_says_so() -> None:
    """At 4 KiB, between characters."""
    (it,) = accepted([replace(tool(), description="ä" * 3_000)]).definitions.values()
    assert it.description == "ä" * 2_048 + " (cut: 1904 bytes more)"


def _nested(depth: int) -> str:
    return '{"not":' * (depth - 1) + "{}" + "}" * (depth - 1)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ('{"description": "' + "x" * 65_536 + '"}', "longer than 64 KiB"),
        ('{"description": "' + "\u200b" * 30_000 + '"}', "longer than 64 KiB"),
        (_nested(33), "deeper than 32"),
        ('{"a":' * 10_000, "deeper than 32"),
        ("[" * 30_000 + "]" * 30_000, "deeper than 32"),
        ("{", "no JSON"),
        ('{"maximum": NaN}', "no JSON"),
        ('{"maximum": 1e400}', "no JSON"),
        ("[]", "no object"),
        ('{"type": "object", "type": "string"}', "a member twice"),
    ],
)
def test_a_schema_that_is_none_leaves_its_tool_out(schema: str, why: str) -> None:
    """Of arguments and of results."""
    for it in (tool(schema=schema), tool(output=schema)):
        found = accepted([it, tool("test.other")])
        assert list(found.definitions) == ["test.other"]
        assert why in found.refused[0].why


def test_a_deep_schema_is_taken() -> None:
    """32 levels are enough for everybody."""
    assert taken(tool(schema=_nested(32))) == ["test.one"]


def test_of_a_million_tools_a_thousand_are_taken() -> None:
    """The others are counted, and some are named."""
    many = (
        Definition(ToolName(f"test.{chr(98 + n % 7)}{n}x"), "", ANY) for n in range(MOST_TOOLS * 20)
    )
    found = accepted(many)
    assert len(found.definitions) == MOST_TOOLS
    assert len(found.refused) == MOST_NAMED
    assert found.left_out == MOST_TOOLS * 19


def _long(number: int) -> str:
    return json.dumps({"type": "object", "description": f"{number:04}" + "x" * 60_000})


def _sized(number: int, schema: str, output: str) -> Definition:
    return Definition(ToolName(f"test.{chr(98 + number % 7)}{number}x"), "", schema, output)


def test_what_a_source_says_in_all_is_bounded() -> None:
    """A thousand tools of two long schemas each would be 128 MiB in memory."""
    many = [_sized(n, _long(2 * n), _long(2 * n + 1)) for n in range(200)]
    found = accepted([*many, tool("test.last")])
    said = sum(len(it.input_schema) + len(it.output_schema) for it in found.definitions.values())
    assert MOST_BYTES - 121_000 < said < MOST_BYTES
    assert "test.last" in found.definitions
    assert found.left_out == 200 - len(found.definitions) + 1
    assert found.refused[0].why == "its source says more than 8 MiB of its tools"


def test_what_many_tools_say_alike_counts_once() -> None:
    """As it is kept once."""
    many = [_sized(n, _long(1), _long(2)) for n in range(200)]
    assert len(accepted(many).definitions) == 200
