"""YAML as far as it says what JSON could: no tags, no merging, no depth that breaks the reader.

PyYAML's own constructors go as deep as the text does, and end the process with it.
"""

import re
from typing import Any

from antiphon_server.integration.tools.model import Json

MAX_DEPTH = 200
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def read_yaml(text: bytes) -> Json:
    """The first document of the text. Raises ValueError."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = _Reader()
    try:
        for event in yaml.parse(text.decode(), Loader=loader):
            reader.take(event)
            if reader.ended:
                return reader.root
    except yaml.YAMLError as error:
        raise ValueError("no YAML") from error
    raise ValueError("no document")


class _Reader:
    """Takes events; aliases are the same value once more, which nobody changes."""

    def __init__(self) -> None:
        self.root: Json = None
        self.ended = False
        self._open: list[tuple[Any, str | None]] = []
        self._key: str | None = None
        self._anchors: dict[str, Json] = {}

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._begin({} if kind[0] == "M" else [], event.anchor)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._end()
        elif kind == "AliasEvent":
            if event.anchor not in self._anchors:
                raise ValueError("an alias of what is not there, or not whole")
            self._put(self._anchors[event.anchor])
        elif kind == "DocumentEndEvent":
            self.ended = True

    def _scalar(self, event: Any) -> None:
        if self._open and isinstance(self._open[-1][0], dict) and self._key is None:
            self._key = event.value
            return
        value: Json = event.value
        if event.implicit[0]:
            value = _plain(event.value)
        if event.anchor:
            self._anchors[event.anchor] = value
        self._put(value)

    def _begin(self, value: Json, anchor: str | None) -> None:
        self._put(value)
        if len(self._open) >= MAX_DEPTH:
            raise ValueError("too deep")
        self._open.append((value, anchor))

    def _end(self) -> None:
        value, anchor = self._open.pop()
        if anchor:
            self._anchors[anchor] = value

    def _put(self, value: Json) -> None:
        if not self._open:
            self.root = value
            return
        into, _ = self._open[-1]
        if isinstance(into, list):
            into.append(value)
            return
        if self._key is None:
            raise ValueError("a name that is no text")
        into[self._key], self._key = value, None


def _plain(text: str) -> Json:
    """What an unquoted word means, by YAML 1.2: `no` is a word, and a date is one, too."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 64 or not (found := _NUMBER.fullmatch(text)):
        return text
    return float(text) if found[2] or found[3] else int(text)
