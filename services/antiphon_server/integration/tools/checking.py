"""JSON Schema that ends: a check takes so many steps, and regular expressions never go back.

A schema is somebody else's program. Its references may double the work with each level, and its
patterns may take longer than anybody lives; so each keyword is a step, and RE2 finds patterns in
time that grows with the text alone. What RE2 does not know (references back, looking around) is
left to the source to check, and so is what a schema's other parts have not looked at
(``unevaluatedItems`` and ``unevaluatedProperties``), which would be found outside of these steps.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

MOST_STEPS = 50_000
MOST_PATTERNS = 200
LARGEST_PATTERN = 2_500
"""Instructions of RE2."""
PATTERN_BYTES = 256 * 1024
SCHEMA_A_STEP = 2_000
"""So many characters of a schema are gone through for a step, when a reference is followed."""
_CODE = re.compile(r"\\u([0-9A-Fa-f]{4})")

Keyword: TypeAlias = Callable[[Any, Any, Any, Any], "Iterator[ValidationError] | None"]


class TooManySteps(Exception):
    """The check would go on."""


class Checker:
    """Checks values by one schema. It is used by one task at a time, and waits for nothing."""

    def __init__(self, schema: str) -> None:
        told = json.loads(schema, object_pairs_hook=_of_one_dialect)
        kind: Any = extend(  # type: ignore[no-untyped-call]
            Draft202012Validator,
            {name: self._counted(name, it) for name, it in _KEYWORDS.items()},
        )
        self._validator = kind(told, registry=Registry())
        self._reference = 1 + len(schema) // SCHEMA_A_STEP
        self._left = 0

    def errors(self, value: object) -> Iterator[ValidationError]:
        """What is wrong with it. Raises TooManySteps, and what the library does of odd schemas."""
        self._left = MOST_STEPS
        yield from self._validator.iter_errors(value)

    def _counted(self, name: str, keyword: Keyword) -> Keyword:
        def check(validator: Any, said: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
            self._spend(self._reference if name in _REFERENCES else _cost(name, said, value))
            for error in keyword(validator, said, value, schema) or ():
                self._spend(1 + len(error.message) // 100)
                yield error

        return check

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooManySteps


def _of_one_dialect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that does not choose by whose rules it is checked."""
    return {name: value for name, value in pairs if name != "$schema" or not isinstance(value, str)}


def _cost(name: str, said: Any, value: Any) -> int:
    if name == "pattern":
        return _pattern_cost(said, value)
    steps = 1 + (len(said) if isinstance(said, list | dict) else 0)
    if name == "patternProperties" and isinstance(said, dict) and isinstance(value, dict):
        return steps + sum(_pattern_cost(each, key) for each in said for key in value)
    if name in ("uniqueItems", "additionalProperties") and isinstance(value, list | dict):
        return steps + len(value)
    return steps


def _pattern_cost(pattern: Any, text: Any) -> int:
    found = _compiled(pattern) if isinstance(pattern, str) else None
    if found is None or not isinstance(text, str):
        return 1
    return 1 + int(len(text) * found.programsize // 5000)


@lru_cache(MOST_PATTERNS)
def _compiled(pattern: str) -> Any:
    """The pattern for RE2; None if it does not know it, or would need much for it."""
    options = re2.Options()
    options.log_errors, options.max_mem = False, PATTERN_BYTES
    try:
        found = re2.compile(_CODE.sub(r"\\x{\1}", pattern).encode(), options)
    except (re2.error, UnicodeEncodeError):
        return None
    return found if found.programsize <= LARGEST_PATTERN else None


def _found(pattern: Any, text: str, *, unknown: bool) -> bool:
    found = _compiled(pattern) if isinstance(pattern, str) else None
    if found is None:
        return unknown
    return found.search(text.encode(errors="replace")) is not None


def _pattern(_: Any, pattern: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _found(pattern, value, unknown=True):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Any, value: Any, _: Any
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    for pattern, schema in patterns.items():
        for name, member in value.items():
            if _found(pattern, name, unknown=False):
                yield from validator.descend(member, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, said: Any, value: Any, schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    more = [
        name
        for name in value
        if name not in known and not any(_found(it, name, unknown=True) for it in patterns)
    ]
    if isinstance(said, dict):
        for name in more:
            yield from validator.descend(value[name], said, path=name)
    elif not said and more:
        names = ", ".join(map(repr, more[:10]))
        yield ValidationError(f"Additional properties are not allowed ({names})")


def _unique_items(_: Any, said: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    if said and isinstance(value, list) and len({_told(it) for it in value}) < len(value):
        yield ValidationError("its items are not unique")


def _told(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _unchecked(*_: Any) -> None:
    """See the module."""


_REFERENCES = ("$ref", "$dynamicRef")
_KEYWORDS: dict[str, Keyword] = {
    **Draft202012Validator.VALIDATORS,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
    "unevaluatedItems": _unchecked,
    "unevaluatedProperties": _unchecked,
}
