"""Whether an answer is what a question's form allows: a flat one, as those that are shown are."""

import json
import math
from typing import Any

from antiphon_server.runtime.errors import DomainError, invalid

MAX_CONTENT = 16 * 1024
TOO_LARGE = 2**63
"""For an integer: longer ones are none to most of those that read them."""
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
}


def check_content(schema: str, content: str) -> None:
    """Raises DomainError INVALID_ARGUMENT, whose field is the member that is wrong."""
    form = json.loads(schema)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or len(content.encode()) > MAX_CONTENT:
        raise invalid("content_json", "a JSON object of at most 16 KiB")
    fields = form.get("properties", {})
    for name in form.get("required", ()):
        if name not in value:
            raise _wrong(name, "given: it is required")
    for name, member in value.items():
        if name not in fields:
            raise _wrong(name[:100], "left out: the form has no such field")
        if (rule := _broken(fields[name], member)) is not None:
            raise _wrong(name, rule)


def _wrong(name: str, rule: str) -> DomainError:
    return invalid(f"content_json.{name}", rule)


def _broken(field: dict[str, Any], value: Any) -> str | None:
    """The rule that a member breaks, in words; None if it breaks none."""
    kind = field.get("type", "")
    if not isinstance(value, _TYPES.get(kind, ())) or (
        isinstance(value, bool) and kind != "boolean"
    ):
        return f"of type {kind}"
    match value:
        case bool():
            return None
        case str():
            return _broken_text(field, value)
        case list():
            return _broken_list(field, value)
        case int() | float():
            return _broken_number(field, value)
    return f"of type {kind}"


def _broken_text(field: dict[str, Any], value: str) -> str | None:
    allowed = choices(field)
    if allowed and value not in allowed:
        return f"one of {', '.join(allowed)}"[:300]
    return _out_of_bounds(field, len(value), "minLength", "maxLength", "characters")


def _broken_number(field: dict[str, Any], value: int | float) -> str | None:
    if isinstance(value, int):
        if not -TOO_LARGE <= value < TOO_LARGE:
            return "a number of at most 64 bits"
    elif not math.isfinite(value):
        return "a number"
    return _out_of_bounds(field, value, "minimum", "maximum", "")


def _broken_list(field: dict[str, Any], value: list[Any]) -> str | None:
    allowed = choices(field.get("items", {}))
    if any(it not in allowed for it in value) or len(set(map(str, value))) < len(value):
        return f"some of {', '.join(allowed)}, each once"[:300]
    return _out_of_bounds(field, len(value), "minItems", "maxItems", "items")


def _out_of_bounds(
    field: dict[str, Any], value: float, least: str, most: str, unit: str
) -> str | None:
    if isinstance(low := field.get(least), int | float) and value < low:
        return f"at least {low} {unit}".rstrip()
    if isinstance(high := field.get(most), int | float) and value > high:
        return f"at most {high} {unit}".rstrip()
    return None


def choices(field: dict[str, Any]) -> list[str]:
    """What may be chosen; empty if anything may be said."""
    if "enum" in field:
        return list(field["enum"])
    return [it["const"] for it in field.get("oneOf") or field.get("anyOf") or ()]
