"""All text patterns of a list of rules, found in one pass over a text.

RE2's sets take the time of one pattern for all of them, which grows with the text alone. How much
each byte may take is bounded by the size of the patterns together.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import re2

from antiphon_server.routing.model import TEXT_BYTES
from antiphon_server.runtime.errors import invalid

LARGEST = 5_000
"""Instructions of RE2 that all patterns may have: some 140 of three words each."""
MEMORY_BYTES = 4 * 1024 * 1024
_EVERY = ""
"""A pattern that is always found: without it among what is found the set had too little memory."""


class Patterns:
    """Patterns by their numbers, from 0; ``fields`` says what to call each in an error.

    Raises DomainError INVALID_ARGUMENT: a pattern that is none, or too large; all too large.
    """

    def __init__(self, patterns: Sequence[str], fields: Sequence[str]) -> None:
        self._set = re2.Set.SearchSet(_options())
        size = 0
        for pattern, field in zip(patterns, fields, strict=True):
            size += _size(pattern, field)
            if size > LARGEST:
                raise invalid(field, "is too large, or the patterns before it are with it")
            self._set.Add(pattern)
        self._set.Add(_EVERY)
        self._every = len(patterns)
        self._compile()

    def _compile(self) -> None:
        try:
            self._set.Compile()
            works = self._every in self._set.Match(b"")
        except re2.error:
            works = False
        if not works:
            raise invalid("rules", "the text patterns are too large together")

    def found(self, text: str) -> AbstractSet[int]:
        """The numbers of those that the text's first 64 KiB have."""
        return set(self._set.Match(_head(text))) - {self._every}


def _size(pattern: str, field: str) -> int:
    try:
        return int(re2.compile(pattern, _options()).programsize)
    except re2.error as error:
        raise invalid(field, f"is no pattern of RE2: {_why(error)}") from None


def _why(error: Exception) -> str:
    (why,) = error.args or ("",)
    return why.decode(errors="replace") if isinstance(why, bytes) else str(why)


def _head(text: str) -> bytes:
    """Its first 64 KiB, without a part of a character at the end."""
    head = text[:TEXT_BYTES].encode(errors="replace")
    if len(head) <= TEXT_BYTES:
        return head
    return head[:TEXT_BYTES].decode(errors="ignore").encode()


def _options() -> "re2.Options":
    options = re2.Options()
    options.log_errors, options.max_mem = False, MEMORY_BYTES
    return options
