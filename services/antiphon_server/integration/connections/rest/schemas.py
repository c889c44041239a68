"""Schemas of OpenAPI as JSON Schema 2020-12 that stands for itself, bounded.

References become `$defs`, so recursive ones stay what they are and none is followed twice. What is
too deep, too large or outside of the document may be anything: the service itself checks it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon_server.integration.connections.rest.documents import (
    mapping,
    pointed,
    sequence,
)
from antiphon_server.integration.connections.rest.naming import LONGEST_ARGUMENT, Names
from antiphon_server.integration.tools.model import Json

LARGEST = 24 * 1024
"""Bytes of one schema: a model reads it with each question."""
DEEPEST = 24
MOST_PARTS = 2_000
"""Within one schema, up to what it refers to; one that has more may be anything."""
PART = 100
"""Characters. A part is a schema, a value, a name, or so much of a text."""
UNREAD = 20
"""So many members that are passed over are a part."""
MOST_IN_ALL = 500_000
"""Of all that are read for a document."""
_TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}
_ODD_TYPES = {"int": "integer", "float": "number", "double": "number", "file": "string"}
_ONE = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")
_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
_SAID = frozenset(
    {"title", "description", "format", "pattern", "deprecated", "contentEncoding"}
    | {"contentMediaType", "default", "const", "minimum", "maximum", "multipleOf", "minLength"}
    | {"maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
    | {"exclusiveMinimum", "exclusiveMaximum", "minContains", "maxContains"}
)
_WORDS = frozenset({"title", "description"})


@dataclass(frozen=True, slots=True)
class _Piece:
    """A schema as JSON, and what it refers to."""

    text: str
    references: tuple[str, ...]


_ANYTHING = _Piece("{}", ())


class Schemas:
    """Spells the schemas of a document: of what is ``sent``, or of what is answered."""

    def __init__(self, document: Mapping[str, Any], *, sent: bool) -> None:
        self._document, self._hidden = document, "readOnly" if sent else "writeOnly"
        self._known, self._left = Names(LONGEST_ARGUMENT), MOST_IN_ALL
        self._names: dict[str, str] = {}
        self._pieces: dict[tuple[str, bool], _Piece] = {}

    def spelled(self, given: Any, otherwise: str = "") -> str:
        """The schema; without its words, and then without what it refers to, if it is large.

        ``otherwise`` is what it is if that is still too much.
        """
        for words, followed in ((True, True), (False, True), (False, False)):
            found = self._whole(given, words=words, followed=followed)
            if found is not None:
                return found
        return otherwise

    def _whole(self, given: Any, *, words: bool, followed: bool) -> str | None:
        own = self._piece(given, words=words, followed=followed)
        if own is None:
            return None
        pieces, size, waiting = dict[str, str](), len(own.text), list(own.references)
        while waiting and size <= LARGEST and self._left:
            self._left -= 1
            reference = waiting.pop()
            if (name := self._names[reference]) in pieces:
                continue
            piece = self._referred(reference, words)
            pieces[name] = piece.text
            size += len(name) + len(piece.text) + 4
            waiting.extend(piece.references)
        if waiting or size > LARGEST:
            return None
        if not pieces:
            return own.text
        told = ", ".join(f"{json.dumps(name)}: {pieces[name]}" for name in sorted(pieces))
        return f'{own.text[:-1]}{", " if len(own.text) > 2 else ""}"$defs": {{{told}}}}}'

    def _referred(self, reference: str, words: bool) -> _Piece:
        found = self._pieces.get((reference, words))
        if found is None:
            given = pointed(self._document, reference)
            found = self._piece(given, words=words, followed=True) or _ANYTHING
            self._pieces[reference, words] = found
        return found

    def _piece(self, given: Any, *, words: bool, followed: bool) -> _Piece | None:
        reader = _Reader(self._hidden, words, self._named if followed else None)
        reader.left = most = min(MOST_PARTS, self._left)
        try:
            read = reader.read(given, 0)
        except _TooLarge:
            return None
        finally:
            self._left -= most - reader.left
        return _Piece(json.dumps(read), tuple(dict.fromkeys(reader.references)))

    def _named(self, reference: str) -> str | None:
        """What `$defs` calls it; None if it is no schema of the document."""
        if reference not in self._names:
            if not isinstance(pointed(self._document, reference), dict):
                return None
            self._names[reference] = self._known.new(reference.rpartition("/")[2])
        return self._names[reference]


class _TooLarge(Exception):
    """It has too many parts."""


class _Reader:
    """Reads one schema, up to its references; ``left`` is how many parts it may have.

    They are counted before they are looked at: many operations may share what is large.
    """

    def __init__(self, hidden: str, words: bool, named: Callable[[str], str | None] | None) -> None:
        self._hidden, self._words, self._named = hidden, words, named
        self.left = 0
        self.references: list[str] = []

    def read(self, given: Any, depth: int) -> dict[str, Json]:
        self._count(1 + len(mapping(given)) // UNREAD)
        if not isinstance(given, dict) or depth > DEEPEST:
            return {"not": {}} if given is False else {}
        if isinstance(given.get("$ref"), str):
            return self._reference(given["$ref"])
        for listed in ("type", "enum", "required"):
            self._count_values(sequence(given.get(listed)))
        read: dict[str, Json] = {}
        _type(given, read)
        for key, value in given.items():
            if key in _SAID and (self._words or key not in _WORDS):
                self._count_values([value])
                _said(key, value, read)
            elif key in _ONE and (isinstance(value, dict) or key == "additionalProperties"):
                read[key] = value if isinstance(value, bool) else self.read(value, depth + 1)
            elif key in _SEVERAL and isinstance(value, list) and value:
                read[key] = [self.read(each, depth + 2) for each in value]
            elif key in _NAMED and isinstance(value, dict):
                read[key] = self._members(value, depth + 2)
        _bounds(given, read)
        _required(given, read, self._hidden)
        return read

    def _count(self, parts: int) -> None:
        if parts > self.left:
            raise _TooLarge
        self.left -= parts

    def _count_values(self, values: list[Any]) -> None:
        self._count(len(values))
        self._count(sum(len(it) for it in values if isinstance(it, str)) // PART)

    def _reference(self, reference: str) -> dict[str, Json]:
        name = self._named(reference) if self._named else None
        if name is None:
            return {}
        self.references.append(reference)
        return {"$ref": f"#/$defs/{name}"}

    def _members(self, given: dict[str, Any], depth: int) -> dict[str, Json]:
        self._count(len(given) // UNREAD)
        self._count(sum(map(len, given)) // PART)
        return {
            name: self.read(each, depth)
            for name, each in given.items()
            if mapping(each).get(self._hidden) is not True
        }


def _type(given: Mapping[str, Any], read: dict[str, Json]) -> None:
    """Its type, and of OpenAPI 3.0 whether it may be null."""
    said = given.get("type")
    kinds: list[Json] = [
        _ODD_TYPES.get(str(it), it) for it in (said if isinstance(said, list) else [said])
    ]
    kinds = [it for it in kinds if it in _TYPES]
    values = sequence(given.get("enum"))
    if given.get("nullable") is True:
        kinds += ["null"] if kinds and "null" not in kinds else []
        values = [*values, None] if values and None not in values else values
    if kinds:
        read["type"] = kinds[0] if len(kinds) == 1 else kinds
    if values and all(isinstance(it, str | int | float | None) for it in values):
        read["enum"] = values


def _said(key: str, value: Any, read: dict[str, Json]) -> None:
    if isinstance(value, str | int | float):
        read[key] = value


def _bounds(given: Mapping[str, Any], read: dict[str, Json]) -> None:
    """Before 2020-12 a bound was said to be exclusive beside itself."""
    for plain, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(read.get(exclusive), bool) and read.pop(exclusive) and plain in read:
            read[exclusive] = read.pop(plain)


def _required(given: Mapping[str, Any], read: dict[str, Json], hidden: str) -> None:
    members = mapping(given.get("properties"))
    names = [
        it
        for it in sequence(given.get("required"))
        if isinstance(it, str) and mapping(members.get(it)).get(hidden) is not True
    ]
    if names:
        read["required"] = list(dict.fromkeys(names))
