"""Regular expressions of schemas: each costs steps by the time that it takes.

RE2 finds patterns in time that grows with the text alone. What it does not know (references back,
looking around) is left to the source to check, and so is what it would need much for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import re2

from antiphon_server.runtime.cache.lru import LruCache

MOST_PATTERNS = 200
LONGEST = 1_000
LARGEST = 2_500
"""Instructions of RE2."""
PATTERN_BYTES = 256 * 1024
_FOUND, _READ, _COMPILED, _REFUSED = 1 / 5_000, 10, 1 / 10, 1_000
"""Steps: of a character in the text for each instruction, of a character in a pattern that is not
known, of an instruction, and of a pattern that is too large, which shows late.
"""
_CODE = re.compile(r"\\u([0-9A-Fa-f]{4})")


@dataclass(frozen=True, slots=True)
class _Program:
    """A pattern as RE2 has it, None if it has not; what it took to know that, in steps."""

    compiled: Any
    cost: int


_known = LruCache[str, _Program](MOST_PATTERNS)


class Patterns:
    """Finds patterns; ``spend`` is told of the steps, and raises when they are too many."""

    def __init__(self, spend: Callable[[int], None]) -> None:
        self._spend = spend

    def found(self, pattern: Any, text: str, *, unknown: bool) -> bool:
        """Whether the text has it; ``unknown`` where RE2 does not know it."""
        self._spend(1)
        compiled = self._compiled(pattern) if isinstance(pattern, str) else None
        if compiled is None:
            return unknown
        self._spend(int(len(text) * compiled.programsize * _FOUND))
        return compiled.search(text.encode(errors="replace")) is not None

    def _compiled(self, pattern: str) -> Any:
        known = _known.get(pattern)
        if known is None:
            known = _program(pattern)
            _known.put(pattern, known)
            self._spend(known.cost)
        return known.compiled


def _program(pattern: str) -> _Program:
    if len(pattern) > LONGEST:
        return _Program(None, 0)
    options = re2.Options()
    options.log_errors, options.max_mem = False, PATTERN_BYTES
    try:
        found = re2.compile(_CODE.sub(r"\\x{\1}", pattern).encode(), options)
    except UnicodeEncodeError:
        return _Program(None, 0)
    except re2.error as error:
        large = "too large" in str(error)
        return _Program(None, len(pattern) * _READ + (_REFUSED if large else 0))
    if found.programsize > LARGEST:
        return _Program(None, len(pattern) * _READ + _REFUSED)
    return _Program(found, int(found.programsize * _COMPILED))
