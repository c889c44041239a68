"""What finders find, and what they promise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon_server.filters.finding.text import Text


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """What was found from ``start`` to ``end``: characters of the text as it was said.

    Of several parts the characters count behind each other. ``score`` is from 0 to 1; what has a
    checksum, or no other meaning, has 1.
    """

    start: int
    end: int
    category: str
    score: float = 1.0


class Finder(Protocol):
    """Finds one kind of things; what it has to compile it has compiled when it is made."""

    def find(self, text: Text) -> Sequence[Found]:
        """All that it has, in time that grows with its length; in any order, also overlapping."""


class Bounded(Finder, Protocol):
    """A finder whose matches have a longest length, so that streamed text can be masked by it.

    For each text, whatever follows it: what is found that starts before ``undecided(text)`` is
    found, and the same, when more has followed, and nothing else starts there then. What is found
    anywhere depends on at most ``before`` visible characters before its start.
    """

    @property
    def longest(self) -> int:
        """What it finds has at most so many visible characters."""

    @property
    def before(self) -> int:
        """By so many visible characters before it, at most, it tells what it is."""

    def undecided(self, text: Text) -> int:
        """From which character said on it depends on what follows.

        That is at most ``longest`` visible characters before the text's end.
        """
