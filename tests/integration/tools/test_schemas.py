"""Schemas that somebody else has written."""

import json
import time
from typing import Any

import pytest

from antiphon_server.integration.tools.model import Definition
from antiphon_server.integration.tools.schemas import Schemas
from antiphon_server.runtime.errors import DomainError
from tests.integration.tools.sources import tool

TIMES = 20
"""A hostile schema takes as long as so many of the largest that are honest, at most."""


async def refusal(schema: object, arguments: object) -> str:
    """Why the arguments are refused; "" if they are not."""
    schemas = Schemas()
    await schemas.load()
    return _refusal(schemas, tool(schema=json.dumps(schema)), json.dumps(arguments))


def _refusal(schemas: Schemas, definition: Definition, arguments: str) -> str:
    try:
        schemas.arguments(definition, arguments)
    except DomainError as error:
        return str(error.metadata["rule"])
    return ""


def _of(pattern: str) -> dict[str, Any]:
    return {"properties": {"a": {"type": "string", "pattern": pattern}}}


def _doubling(levels: int) -> dict[str, Any]:
    steps: dict[str, Any] = {"s0": {"type": "object"}}
    for level in range(1, levels):
        steps[f"s{level}"] = {"allOf": [{"$ref": f"#/$defs/s{level - 1}"}] * 2}
    return {"$defs": steps, "$ref": f"#/$defs/s{levels - 1}"}


TREE = {
    "anyOf": [
        {"properties": {"c": {"$ref": "#"}}, "required": ["no"]},
        {"properties": {"c": {"$ref": "#"}}, "required": ["nor"]},
    ]
}
DEEP: dict[str, Any] = {}
for _ in range(100):
    DEEP = {"c": DEEP}
LONG = "a" * 60_000 + "!"
HOSTILE: dict[str, tuple[object, object]] = {
    "repeats of repeats": (_of("^(a+)+$"), {"a": LONG}),
    "alternatives of the same": (_of("^(a|a)*$"), {"a": LONG}),
    "many repeats": (_of("(" * 20 + "a*" + ")*" * 20 + "b"), {"a": LONG}),
    "a large automaton": (_of("^(a?){500}(a?){500}b$"), {"a": LONG}),
    "names": ({"patternProperties": {"^(a+)+$": False}}, {LONG: 1}),
    "names that are left": (
        {"patternProperties": {"^(a+)+$": True}, "additionalProperties": False},
        {LONG: 1},
    ),
    "names that nothing looked at": (
        {"patternProperties": {"^(a+)+$": True}, "unevaluatedProperties": False},
        {LONG: 1},
    ),
    "another dialect": (
        {
            "$ref": "#/$defs/old",
            "$defs": {
                "old": {"$schema": "http://json-schema.org/draft-07/schema#", **_of("^(a+)+$")}
            },
        },
        {"a": LONG},
    ),
    "references that double": (_doubling(40), {}),
    "references that double, looked at": ({**_doubling(40), "unevaluatedProperties": False}, {}),
    "a tree of alternatives": (TREE, DEEP),
    "a circle": ({"$ref": "#"}, {}),
    "a circle of alternatives": ({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, {}),
    "items that differ": (
        {"properties": {"a": {"uniqueItems": True}}},
        {"a": [{"b": number} for number in range(5_000)]},
    ),
    "names that many patterns look at": (
        {
            "additionalProperties": False,
            "patternProperties": {f"^{at:x}[a-z]+z": {} for at in range(300)},
        },
        {f"k{at}": 1 for at in range(1_000)},
    ),
    "many patterns that are large": (
        {"patternProperties": {r"\pL" * (20 + at % 200) + str(at): {} for at in range(200)}},
        {"k": 1},
    ),
    "large items that differ": (
        {"properties": {"a": {"allOf": [{"uniqueItems": True}] * 500}}},
        {"a": [[0] * 100_000]},
    ),
    "items that may be anything": (
        {"properties": {"a": {"allOf": [{"items": {}}] * 500}}},
        {"a": [0] * 50_000},
    ),
    "items of keywords that nobody knows": (
        {"properties": {"a": {"items": {"anyOf": [dict.fromkeys(map(str, range(8_000)))]}}}},
        {"a": [0] * 20_000},
    ),
    "a large value to compare with": (
        {
            "$defs": {"same": {"const": [0] * 10_000}},
            "properties": {"a": {"allOf": [{"$ref": "#/$defs/same"}] * 1_000}},
        },
        {"a": [0] * 10_000},
    ),
    "much that is wrong": (
        {"properties": {"a": {"items": {"anyOf": [{"type": "string"}] * 500}}}},
        {"a": [{"b": "x" * 100}] * 500},
    ),
    "one long text that is wrong often": (
        {"allOf": [{"properties": {"a": {"const": number}}} for number in range(500)]},
        {"a": LONG},
    ),
}


@pytest.mark.parametrize(("schema", "arguments"), HOSTILE.values(), ids=HOSTILE)
async def test_a_check_ends(schema: object, arguments: object) -> None:
    """In about the time that the largest honest arguments take, whatever a schema says."""
    schemas = Schemas()
    await schemas.load()
    honest = {"properties": {"a": {"items": {"type": "integer", "minimum": 0}}}}
    measured = []
    for each, value in ((honest, {"a": list(range(5_000))}), (schema, arguments)):
        definition, text = tool(schema=json.dumps(each)), json.dumps(value)
        began = time.process_time()
        _refusal(schemas, definition, text)
        measured.append(time.process_time() - began)
    assert measured[1] < TIMES * measured[0], measured


async def test_steps_that_are_too_many_are_said() -> None:
    """The tool is not called; a result that is too large to be checked is taken as it is."""
    assert await refusal(_doubling(40), {}) == "its schema takes too many steps"
    schemas = Schemas()
    await schemas.load()
    it = tool(output=json.dumps({"properties": {"a": {"items": {"type": "integer"}}}}))
    assert schemas.wrong_result(it, {"a": list(range(100_000))}) is None
    assert schemas.wrong_result(it, {"a": ["x"]}) is not None


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        (_of("^[a-z]+$"), {"a": "abc"}, {"a": "ABC"}),
        (_of(r"^\u0061{2}$"), {"a": "aa"}, {"a": "ab"}),
        (_of(r"^\p{L}+$"), {"a": "äé"}, {"a": "1"}),
        ({"patternProperties": {"^n": {"type": "integer"}}}, {"no": 1}, {"no": "1"}),
        ({"patternProperties": {"^n": {}}, "additionalProperties": False}, {"n": 1}, {"m": 1}),
        (
            {"properties": {"a": {}}, "additionalProperties": {"type": "null"}},
            {"b": None},
            {"b": 1},
        ),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, 2]}, {"a": [{"b": 1}, {"b": 1}]}),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "required": ["a"]}, {"a": 1}, {}),
    ],
)
async def test_what_is_replaced_still_checks(schema: object, right: object, wrong: object) -> None:
    """As JSON Schema says."""
    assert await refusal(schema, right) == ""
    assert await refusal(schema, wrong) != ""


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (r'{"a": "\ud800"}', "it has half a character"),
        (r'{"\udfff": 1}', "it has half a character"),
        ('{"a": NaN}', "it is no JSON"),
        ('{"a": -Infinity}', "it is no JSON"),
        ('{"a": 1e400}', "it is no JSON"),
        (r'{"a": "\ud83d\ude00"}', ""),
        ('{"a": 1e300}', ""),
    ],
)
async def test_arguments_are_what_can_be_sent(arguments: str, rule: str) -> None:
    """As JSON and as UTF-8, whatever a tool speaks."""
    schemas = Schemas()
    await schemas.load()
    assert _refusal(schemas, tool(), arguments) == rule


@pytest.mark.parametrize("pattern", ["^(?!no)", r"(a)\1", "(", "(a?){1000}"])
async def test_a_pattern_that_is_not_known_is_left_to_the_source(pattern: str) -> None:
    """It knows better what it means."""
    assert await refusal(_of(pattern), {"a": "yes"}) == ""


@pytest.mark.parametrize(
    "schema", [{"type": 5}, {"properties": 5}, {"allOf": {}}, {"$ref": 7}, {"required": 3}]
)
async def test_what_is_no_schema_is_said(schema: object) -> None:
    """It is a tool's fault, not the server's."""
    assert await refusal(schema, {"a": 1}) in ("", "its schema can't be followed")
