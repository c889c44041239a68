"""The texts of a JSON text, as they are meant, and the same JSON with others in their places."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of surrogate pairs, which no UTF-8 has."""


class _Number(str):
    """A number as it is written."""


class _Members(list[tuple[str, Any]]):
    """All members of an object, also those of one name."""


class JsonTexts:
    """``texts``: each with how many bytes it may have in :meth:`with_texts`.

    Strings have as many as before; names of members and numbers have 0, since others would change
    what it means. What is no JSON is one text.
    """

    def __init__(self, content: str) -> None:
        self._content = content
        try:
            self._value = json.loads(
                content, object_pairs_hook=_Members, parse_int=_Number, parse_float=_Number
            )
            self.texts: Sequence[tuple[str, int]] = list(_texts(self._value))
        except (ValueError, RecursionError):
            self._value, self.texts = None, [(content, 0)]

    def with_texts(self, texts: Sequence[str]) -> str:
        """The same JSON with other texts in their order; as it was written if none is another.

        A number with another text in its place is a string.
        """
        if list(texts) == [text for text, _ in self.texts]:
            return self._content
        return _written(self._value, iter(texts))


def _texts(value: Any) -> Iterator[tuple[str, int]]:
    match value:
        case _Number():
            yield str(value), 0
        case str():
            text = _HALVES.sub("\ufffd", value)
            yield text, len(text.encode())
        case _Members():
            for name, member in value:
                yield _HALVES.sub("\ufffd", name), 0
                yield from _texts(member)
        case list():
            for member in value:
                yield from _texts(member)


def _written(value: Any, texts: Iterator[str]) -> str:
    match value:
        case str():
            said = next(texts)
            is_same = isinstance(value, _Number) and said == value
            return said if is_same else json.dumps(said, ensure_ascii=False)
        case _Members():
            names = ((json.dumps(next(texts), ensure_ascii=False), it) for _, it in value)
            return "{" + ", ".join(f"{name}: {_written(it, texts)}" for name, it in names) + "}"
        case list():
            return "[" + ", ".join(_written(it, texts) for it in value) + "]"
    return json.dumps(value)
