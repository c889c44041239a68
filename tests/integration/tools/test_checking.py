"""A check finds what the library finds, where it finds it."""

import json
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from antiphon_server.integration.tools.checking import Checker, TooManySteps

DEFINED = {"x": {"type": "integer"}, "y": {"properties": {"a": {"$ref": "#/$defs/x"}}}}
TYPES = ["string", "integer", "object", "array", "boolean", "null", ["string", "null"]]


def _schema(of: random.Random, depth: int) -> Any:
    leaves: list[Callable[[], Any]] = [
        lambda: {"type": of.choice(TYPES)},
        lambda: {"$ref": f"#/$defs/{of.choice('xy')}"},
        lambda: {"enum": [1, "a", None]},
        lambda: True,
    ]

    def part() -> Any:
        return _schema(of, depth - 1)

    branches: list[Callable[[], Any]] = [
        lambda: {"properties": {"a": part(), "b": part()}, "required": [of.choice("ab")]},
        lambda: {"properties": {"a": part()}, "additionalProperties": part()},
        lambda: {"prefixItems": [part()], "items": part()},
        lambda: {of.choice(["anyOf", "oneOf", "allOf"]): [part(), part()]},
        lambda: {"if": part(), "then": part(), "else": part()},
        lambda: {of.choice(["not", "contains", "propertyNames"]): part()},
    ]
    return of.choice(branches if depth else leaves)()


def _value(of: random.Random, depth: int) -> Any:
    kinds: list[Callable[[], Any]] = [
        lambda: of.choice([0, 1, "a", "b", None, True]),
        lambda: {name: _value(of, depth - 1) for name in of.sample("abc", 2)},
        lambda: [_value(of, depth - 1) for _ in range(2)],
    ]
    return of.choice(kinds if depth else kinds[:1])()


def _found(errors: Iterable[ValidationError]) -> list[tuple[str, ...]]:
    return sorted((it.json_path, str(it.validator), str([*it.schema_path])) for it in errors)


@pytest.mark.parametrize("seed", range(4))
def test_it_finds_what_the_library_finds(seed: int) -> None:
    """In schemas of all that goes into parts, many values by one checker."""
    of, wrong = random.Random(seed), 0
    for _ in range(250):
        schema = {"$defs": DEFINED, "allOf": [_schema(of, 3)]}
        checker, library = Checker(json.dumps(schema)), Draft202012Validator(schema)
        for _ in range(3):
            value = _value(of, 3)
            found = _found(checker.errors(value))
            assert found == _found(library.iter_errors(value)), (schema, value)
            wrong += bool(found)
    assert 150 < wrong < 600


def test_where_a_reference_leads_depends_on_where_it_stands() -> None:
    """Parts with an ``$id`` of their own have their own definitions."""
    inner = {"$id": "https://a.example/", "$defs": {"x": {"type": "string"}}, "$ref": "#/$defs/x"}
    schema = {"$defs": DEFINED, "properties": {"a": inner, "b": {"$ref": "#/$defs/x"}}}
    checker = Checker(json.dumps(schema))
    assert not _found(checker.errors({"a": "text", "b": 1}))
    assert [it[0] for it in _found(checker.errors({"a": 1, "b": "text"}))] == ["$.a", "$.b"]


def _circle(keyword: str) -> dict[str, Any]:
    return {"$ref": "#"} if keyword == "$ref" else {keyword: [{"$ref": "#"}]}


@pytest.mark.parametrize("stack", [0, 100, 200])
@pytest.mark.parametrize("keyword", ["$ref", "allOf", "anyOf", "oneOf"])
def test_what_leads_to_itself_ends_before_the_stack_does(keyword: str, stack: int) -> None:
    """However deep it is called; a stack that ends in what is not Python ends more than a check."""
    if stack:
        test_what_leads_to_itself_ends_before_the_stack_does(keyword, stack - 1)
        return
    with pytest.raises(TooManySteps):
        list(Checker(json.dumps(_circle(keyword))).errors({}))


def test_parts_that_are_left_at_their_first_error_are_left() -> None:
    """A thousand items that are not what is looked for are no levels."""
    schema = {"contains": {"properties": {"a": {"type": "integer"}}}}
    assert not _found(Checker(json.dumps(schema)).errors([*[{"a": "x"}] * 1_000, {"a": 1}]))
