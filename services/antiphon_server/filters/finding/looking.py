"""Finders that look at each place by itself: what they find anywhere depends on nothing far away.

That is what lets them mask a stream: a look that reaches the text's end says so, and the text is
held back from there alone.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.finding.text import Text


class Look(NamedTuple):
    """What may be from ``start`` on: it is found if ``end`` is above 0; ``open`` if more may come.

    An open one is what text behind the end makes, changes or makes longer.
    """

    start: int
    end: int
    open: bool
    category: str


class Looker(Protocol):
    """Looks for one kind of things in normal text, a byte for each character."""

    @property
    def longest(self) -> int:
        """What it finds has at most so many characters."""

    @property
    def before(self) -> int:
        """By so many characters before it, at most, it tells what it is."""

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """All looks that begin at ``at`` or later, in any order, also overlapping."""


class Looking:
    """A finder that masks, too (`Bounded`), made of what looks."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self.longest, self.before = looker.longest, looker.before

    def find(self, text: Text) -> Sequence[Found]:
        """All that is found."""
        normal = text.normal
        return [
            Found(*normal.origin(it.start, it.end), it.category)
            for it in self._looker.looks(normal.coded, 0)
            if it.end
        ]

    def undecided(self, text: Text) -> int:
        """From where on what follows may matter."""
        coded = text.normal.coded
        at = max(0, len(coded) - self.longest)
        starts = (it.start for it in self._looker.looks(coded, at) if it.open)
        return text.normal.before(min(starts, default=len(coded)))
