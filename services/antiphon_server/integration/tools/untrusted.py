"""What sources outside say of their tools, as far as models and people may be shown it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from antiphon_server.integration.tools.model import Definition, Json, ToolName
from antiphon_server.runtime.encoding.strict_json import loads
from antiphon_server.runtime.encoding.visible import REPLACEMENT, visible

MOST_TOOLS = 1_000
MOST_NAMED = 100
"""So many refused ones are named; the others are counted."""
MAX_DESCRIPTION = 4 * 1024
MAX_TITLE = 256
MAX_SCHEMA = 64 * 1024
MOST_BYTES = 8 * 1024 * 1024
"""Of all that a source says of its tools; what several of them say alike counts once."""
MAX_DEPTH = 32
# As in the contract's rule for Conversation.tools: no letter in it is invisible, or like another
# one of another script.
_NAME = re.compile(r"[a-z0-9_-]{1,32}\.[A-Za-z0-9_./-]{1,95}")
_ESCAPED = re.compile(r"\\(u....|.)")
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l"})


@dataclass(frozen=True, slots=True)
class Refused:
    """A tool that is left out, by its name as it can be shown, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A source's tools. ``refused`` are the first of the ``left_out``, which counts them all."""

    definitions: Mapping[ToolName, Definition]
    refused: Sequence[Refused]
    left_out: int


class _Unacceptable(Exception):
    """Says why a tool is left out."""


def accepted(definitions: Iterable[Definition]) -> Accepted:
    """Take what can be shown; characters that nobody sees are shown as U+FFFD.

    Of tools whose names look alike the first is taken, so that none passes for another one.
    """
    taken = _Taken()
    refused: list[Refused] = []
    left_out, read = 0, cache(_schema)  # many operations of a service answer with the same
    for each in definitions:
        try:
            taken.take(each, read)
        except _Unacceptable as why:
            left_out += 1
            if len(refused) < MOST_NAMED:
                refused.append(Refused(visible(each.name[:128]), str(why)))
    return Accepted({it.name: it for it in taken.by_likeness.values()}, refused, left_out)


def alike(name: str) -> str:
    """What a name is for eyes that are in a hurry: the same for names that look alike."""
    return name.lower().translate(_ALIKE)


class _Taken:
    """What is taken of a source, by its names as :func:`alike` has them."""

    def __init__(self) -> None:
        self.by_likeness: dict[str, Definition] = {}
        self._schemas: set[str] = set()
        self._bytes = 0

    def take(self, it: Definition, read: Callable[[str], str]) -> None:
        """Raises _Unacceptable."""
        if not _NAME.fullmatch(it.name):
            raise _Unacceptable(
                "its name is longer than 95 letters, digits and _ . / -, or has others"
            )
        if len(self.by_likeness) == MOST_TOOLS:
            raise _Unacceptable(f"its source has more than {MOST_TOOLS:,} tools")
        like = alike(it.name)
        if like in self.by_likeness:
            raise _Unacceptable(f"its name looks like {self.by_likeness[like].name}")
        shown = _shown(it, read)
        self._count(shown)
        self.by_likeness[like] = shown

    def _count(self, it: Definition) -> None:
        schemas = {it.input_schema, it.output_schema} - self._schemas
        said = (it.name, it.title, it.description, *schemas)
        size = self._bytes + sum(len(text.encode()) for text in said)
        if size > MOST_BYTES:
            raise _Unacceptable("its source says more than 8 MiB of its tools")
        self._bytes = size
        self._schemas |= schemas


def _shown(it: Definition, read: Callable[[str], str]) -> Definition:
    return replace(
        it,
        title=visible(it.title[:MAX_TITLE]),
        description=_beginning(visible(it.description)),
        input_schema=read(it.input_schema),
        output_schema=read(it.output_schema) if it.output_schema else "",
    )


def _beginning(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= MAX_DESCRIPTION:
        return text
    kept = encoded[:MAX_DESCRIPTION].decode(errors="ignore")
    return f"{kept} (cut: {len(encoded) - len(kept.encode())} bytes more)"


def _schema(text: str) -> str:
    if len(text) > MAX_SCHEMA:
        raise _Unacceptable("a schema of it is longer than 64 KiB")
    try:
        schema = loads(text, _members)
        depth = _depth(schema)
    except ValueError:
        raise _Unacceptable("a schema of it is no JSON") from None
    except RecursionError:
        depth = MAX_DEPTH + 1
    if depth > MAX_DEPTH:
        raise _Unacceptable(f"a schema of it is deeper than {MAX_DEPTH}")
    if not isinstance(schema, dict):
        raise _Unacceptable("a schema of it is no object")
    spelled = json.dumps(schema, ensure_ascii=False)
    shown = visible(_ESCAPED.sub(_shown_escape, spelled))
    if len(shown.encode()) > MAX_SCHEMA:
        raise _Unacceptable("a schema of it is longer than 64 KiB")
    return shown


def _shown_escape(found: re.Match[str]) -> str:
    """Control characters are escaped in JSON, and come back when a model's provider reads it."""
    return found[0] if found[1] in '"\\nt' else REPLACEMENT


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a member that can't be told from another one would be filled in for it."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Unacceptable("a schema of it has a member twice")
    names = "".join(members)
    if visible(names) != names:
        raise _Unacceptable("a member of its schema has characters that nobody sees")
    return members


def _depth(value: Json) -> int:
    depth, level = 0, [value]
    while inner := [it for it in level if isinstance(it, dict | list)]:
        depth += 1
        level = [each for it in inner for each in (it.values() if isinstance(it, dict) else it)]
    return depth
