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

    For each text, and whatever follows: what is found from before ``undecided(text)`` is found
    there, too, when more has followed, and nothing else from before it is; and it ends there at
    the latest. What is found anywhere depends on no more than the ``longest`` characters before.
    """

    @property
    def longest(self) -> int:
        """Visible characters of which what it finds, and what tells it by, has at most so many."""

    def undecided(self, text: Text) -> int:
        """From where on it depends on what follows, at most ``longest`` before the text's end.

        In visible characters, those of ``text.normal.value``.
        """
