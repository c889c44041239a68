"""JSON Schema that ends: a check takes so many steps, and regular expressions never go back.

A schema is somebody else's program. Its references may double the work with each level, and its
patterns may take longer than anybody lives; so each keyword costs steps by what it looks at. What a
schema's other parts have not looked at (``unevaluatedItems`` and ``unevaluatedProperties``) would
be found outside of these steps, and is left to the source to check.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from antiphon_server.integration.tools.patterns import Patterns

MOST_STEPS = 50_000
MOST_LEVELS = 150
"""So many keywords are checked within each other. Each takes four frames of Python's stack; where
that ends within a part of the library that is not Python, it is no RecursionError that is raised.
"""
SCHEMA_A_STEP = 2_000
"""So many characters of a schema are gone through for a step, when a reference is followed."""
MEMBERS_A_STEP = 20
"""So many keywords of a schema are gone through for a step, be they known or not."""
COMPARED_A_STEP = 50
WRITTEN_A_STEP = 200

Keyword: TypeAlias = Callable[[Any, Any, Any, Any], "Iterator[ValidationError] | None"]


class TooManySteps(Exception):
    """The check would go on."""


class Checker:
    """Checks values by one schema. It is used by one task at a time, and waits for nothing."""

    def __init__(self, schema: str) -> None:
        told = json.loads(schema, object_pairs_hook=_of_one_dialect)
        own = _Keywords(self._spend).own()
        kind: Any = extend(  # type: ignore[no-untyped-call]
            Draft202012Validator,
            {
                name: self._counted(name, it)
                for name, it in {**Draft202012Validator.VALIDATORS, **own}.items()
            },
        )
        if '"$id"' not in schema:  # so references mean the same wherever they stand
            kind.descend = _descent()
        self._validator = kind(told, registry=Registry())
        self._reference = 1 + len(schema) // SCHEMA_A_STEP
        self._sizes: dict[int, int] = {}  # by id: the schema's parts live as long as this does
        self._left, self._levels = 0, 0

    def errors(self, value: object) -> Iterator[ValidationError]:
        """What is wrong with it. Raises TooManySteps, and what the library does of odd schemas."""
        self._left, self._levels = MOST_STEPS, 0
        yield from self._validator.iter_errors(value)

    def _counted(self, name: str, keyword: Keyword) -> Keyword:
        def check(validator: Any, said: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
            self._spend(self._reference if name in _REFERENCES else self._cost(name, said, value))
            self._levels += 1
            try:
                if self._levels > MOST_LEVELS:
                    raise TooManySteps
                for error in keyword(validator, said, value, schema) or ():
                    self._spend(1 + len(error.message) // 100)
                    yield error
            finally:  # also when nobody asks for a second error
                self._levels -= 1

        return check

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooManySteps

    def _cost(self, name: str, said: Any, value: Any) -> int:
        steps = 1
        if isinstance(said, list | dict) and (name not in _COMPARED or _length(value)):
            steps += len(said) + self._inner(name, said)
        if name in _EACH:
            descent = 1 + _length(said) // MEMBERS_A_STEP
            steps += _length(value) * descent // 2
        return steps

    def _inner(self, name: str, said: Any) -> int:
        """Steps for what a keyword's value has within, which is counted once."""
        known = self._sizes.get(id(said))
        if known is None:
            of = _nodes(said) // COMPARED_A_STEP
            if name not in _COMPARED:
                of = sum(map(_length, _children(said))) // MEMBERS_A_STEP
            known = self._sizes[id(said)] = of
        return known


class _Keywords:
    """Those that are checked otherwise than the library does; they ``spend`` as they go."""

    def __init__(self, spend: Callable[[int], None]) -> None:
        self._spend, self._patterns = spend, Patterns(spend)

    def own(self) -> dict[str, Keyword]:
        return {
            "pattern": self._pattern,
            "patternProperties": self._pattern_properties,
            "additionalProperties": self._additional_properties,
            "uniqueItems": self._unique_items,
            "unevaluatedItems": _unchecked,
            "unevaluatedProperties": _unchecked,
        }

    def _pattern(self, _: Any, pattern: Any, value: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not self._patterns.found(pattern, value, unknown=True):
            yield ValidationError(f"{value!r} does not match {pattern!r}")

    def _pattern_properties(
        self, validator: Any, patterns: Any, value: Any, _: Any
    ) -> Iterator[ValidationError]:
        if not isinstance(value, dict):
            return
        for pattern, schema in patterns.items():
            for name, member in value.items():
                if self._patterns.found(pattern, name, unknown=False):
                    self._spend(_length(schema) // MEMBERS_A_STEP)
                    yield from validator.descend(member, schema, path=name, schema_path=pattern)

    def _additional_properties(
        self, validator: Any, said: Any, value: Any, schema: Any
    ) -> Iterator[ValidationError]:
        if not isinstance(value, dict):
            return
        more = {name: it for name, it in value.items() if name not in schema.get("properties", {})}
        for pattern in schema.get("patternProperties", {}):
            more = {
                name: it
                for name, it in more.items()
                if not self._patterns.found(pattern, name, unknown=True)
            }
        if isinstance(said, dict):
            for name, member in more.items():
                yield from validator.descend(member, said, path=name)
        elif not said and more:
            names = ", ".join(map(repr, list(more)[:10]))
            yield ValidationError(f"Additional properties are not allowed ({names})")

    def _unique_items(self, _: Any, said: Any, value: Any, __: Any) -> Iterator[ValidationError]:
        if not said or not isinstance(value, list):
            return
        seen = set[str]()
        for item in value:
            told = json.dumps(item, sort_keys=True)
            self._spend(1 + len(told) // WRITTEN_A_STEP)
            seen.add(told)
        if len(seen) < len(value):
            yield ValidationError("its items are not unique")


def _descent() -> Callable[..., Iterator[ValidationError]]:
    """Goes into a schema's parts as the library does, with one validator for each that is kept.

    The library makes one each time, which takes much of the time of a check. Parts are known by
    their ids: they live as long as what is kept of them.
    """
    known = dict[int, Any]()

    def descend(
        above: Any,
        instance: Any,
        schema: Any,
        path: Any = None,
        schema_path: Any = None,
        resolver: object = None,
    ) -> Iterator[ValidationError]:
        validator = known.get(id(schema))
        if validator is None:
            validator = known[id(schema)] = above.evolve(schema=schema)
        for error in validator.iter_errors(instance):
            if path is not None:
                error.path.appendleft(path)
            if schema_path is not None:
                error.schema_path.appendleft(schema_path)
            yield error

    return descend


def _of_one_dialect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that does not choose by whose rules it is checked."""
    return {name: value for name, value in pairs if name != "$schema" or not isinstance(value, str)}


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else 0


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _nodes(value: Any) -> int:
    count, level = 0, [value]
    while level:
        count += len(level)
        level = [each for it in level for each in _children(it)]
    return count


def _unchecked(*_: Any) -> None:
    """See the module."""


_REFERENCES = ("$ref", "$dynamicRef")
_COMPARED = ("const", "enum")
_EACH = ("items", "contains", "propertyNames", "additionalProperties")
"""Their schema is gone through for each of a value's items or members."""
