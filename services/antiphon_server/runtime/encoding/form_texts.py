"""The texts of a form that people are shown, and the same form with others in their places."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_CUT = ("title", "description")
_LIMITS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")
_FORMATS = frozenset({"email", "uri", "date", "date-time"})
"""Words of JSON Schema, which nobody outside has chosen."""


class _Place(NamedTuple):
    """A text; where ``member`` of ``holder`` is no text to be changed, that is None."""

    text: str
    holder: dict[str, Any] | None = None
    member: str = ""


class FormTexts:
    """``texts`` of a form as :func:`shown_form` makes it; its keywords are none.

    Each is with how many bytes it may have in :meth:`with_texts`: titles and descriptions as many
    as before, all else 0. Names of fields, choices and limits are what is answered with.
    """

    def __init__(self, form: str) -> None:
        self._form = json.loads(form)
        self._places = list(_places(self._form))

    @property
    def texts(self) -> Sequence[tuple[str, int]]:
        """See above."""
        return [(it.text, 0 if it.holder is None else len(it.text.encode())) for it in self._places]

    def with_texts(self, texts: Sequence[str]) -> str:
        """The same form with other texts in their order."""
        for place, text in zip(self._places, texts, strict=True):
            if place.holder is not None:
                place.holder[place.member] = text
        return json.dumps(self._form, ensure_ascii=False)


def _places(form: Mapping[str, Any]) -> Iterator[_Place]:
    for name, field in form["properties"].items():
        yield _Place(name)
        for member in _CUT:
            if member in field:
                yield _Place(field[member], field, member)
        yield from map(_Place, _fixed(field))
        yield from _choices(field.get("items", field))


def _fixed(field: Mapping[str, Any]) -> Iterator[str]:
    default = field.get("default", [])
    values = [field[it] for it in _LIMITS if it in field]
    values += default if isinstance(default, list) else [default]
    if field.get("format", "email") not in _FORMATS:
        values.append(field["format"])
    return (str(it) for it in values if not isinstance(it, bool))


def _choices(field: Mapping[str, Any]) -> Iterator[_Place]:
    yield from map(_Place, field.get("enum", ()))
    for option in (*field.get("oneOf", ()), *field.get("anyOf", ())):
        yield _Place(option["const"])
        yield _Place(option["title"], option, "title")
