"""Forms that people are asked by, as they can be shown: flat ones; all of it is untrusted."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from antiphon_server.runtime.encoding.visible import visible

MAX_SCHEMA = 16 * 1024
MAX_TEXT = 1024
MAX_NAME = 64
MOST_FIELDS = 32
MOST_CHOICES = 100
_TEXTS = ("title", "description")
_KEPT: Mapping[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "format", "default"),
    "number": ("minimum", "maximum", "default"),
    "integer": ("minimum", "maximum", "default"),
    "boolean": ("default",),
    "array": ("minItems", "maxItems", "default"),
}
Shows: TypeAlias = Callable[[str], str]
"""A text as it is shown."""


class NotShown(Exception):
    """Says why a question can't be shown to people."""


def shown_form(schema: object, shows: Shows = visible) -> str:
    """A form's JSON Schema, of what people are shown of it by ``shows``. Raises NotShown."""
    try:
        told = json.dumps(_form(schema, shows), ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise NotShown("a number of its form is none of JSON") from None
    if len(told.encode()) > MAX_SCHEMA:
        raise NotShown("its form is longer than 16 KiB")
    return told


def _form(schema: object, shows: Shows) -> dict[str, Any]:
    """The form, of the keywords that are known alone."""
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise NotShown("its form is no object")
    fields = schema.get("properties", {})
    if not isinstance(fields, dict) or len(fields) > MOST_FIELDS:
        raise NotShown(f"its form has more than {MOST_FIELDS} fields")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(
        isinstance(it, str) and it in fields for it in required
    ):
        raise NotShown("its form requires a field that it does not have")
    shown = {_named(name): _field(field, shows) for name, field in fields.items()}
    return {"type": "object", "properties": shown, "required": required}


def _named(name: str) -> str:
    if not name or len(name) > MAX_NAME or visible(name) != name or "\n" in name:
        raise NotShown("a field of its form has no name that can be shown")
    return name


def _field(field: object, shows: Shows) -> dict[str, Any]:
    kind = field.get("type") if isinstance(field, dict) else None
    if not isinstance(field, dict) or not isinstance(kind, str) or kind not in _KEPT:
        raise NotShown("a field of its form is no text, number, boolean or choice")
    shown: dict[str, Any] = {"type": kind}
    shown |= {it: _text(field[it], shows) for it in _TEXTS if it in field}
    shown |= {it: _value(field[it], shows) for it in _KEPT[kind] if it in field}
    if kind == "array":
        items = field.get("items")
        choices = _choices(items, "anyOf", shows) if isinstance(items, dict) else {}
        if not choices:
            raise NotShown("a list in its form has no choices")
        shown["items"] = {"type": "string", **choices}
    elif kind == "string":
        shown |= _choices(field, "oneOf", shows)
    return shown


def _choices(field: Mapping[str, Any], titled: str, shows: Shows) -> dict[str, Any]:
    """What can be chosen: ``enum``, or ``titled`` where choices have names of their own."""
    if "enum" in field:
        values, names = field["enum"], field.get("enumNames")
        if names is None:
            return {"enum": [_text(it, shows) for it in _bounded(values)]}
        pairs: Iterable[Any] = zip(_bounded(values), _bounded(names), strict=False)
        return {titled: [_option(it, name, shows) for it, name in pairs]}
    if titled in field:
        options = [it for it in _bounded(field[titled]) if isinstance(it, dict)]
        named = ((it.get("const"), it.get("title", it.get("const"))) for it in options)
        return {titled: [_option(it, name, shows) for it, name in named]}
    return {}


def _option(value: object, name: object, shows: Shows) -> dict[str, str]:
    return {"const": _text(value, shows), "title": _text(name, shows)}


def _bounded(values: object) -> list[Any]:
    if not isinstance(values, list) or not 0 < len(values) <= MOST_CHOICES:
        raise NotShown(f"a field of its form has no choices, or more than {MOST_CHOICES}")
    return values


def _text(value: object, shows: Shows) -> str:
    """Text as it is shown."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise NotShown("a text of its form is longer than 1,024 characters")
    return shows(value)


def _value(value: object, shows: Shows) -> Any:
    """A limit or a default: a number, a boolean, a text, or texts."""
    if isinstance(value, list):
        return [_text(it, shows) for it in _bounded(value)]
    return value if isinstance(value, bool | int | float) else _text(value, shows)
