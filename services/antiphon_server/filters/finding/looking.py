"""Finders that look at each place by itself: what they find anywhere depends on nothing far away.

That is what lets them mask a stream: a look that reaches the text's end says so, and the text is
held back from there alone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from antiphon_server.filters.finding.model import Found, Stepping
from antiphon_server.filters.finding.text import Text


class Look(NamedTuple):
    """What may be from ``start`` on: it is found if ``end`` is above 0; ``open`` if more may come.

    An open one is what text behind the end makes, changes or makes longer.
    """

    start: int
    end: int
    open: bool
    category: str


Spare: TypeAlias = Callable[[bytes], tuple[int, int] | None]
"""From where to where a text can do without what it holds: see :meth:`Bounded.spare`."""
NOTHING = Look(0, 0, False, "")
"""Of a place where nothing is; a looker that has many such tells them, to be stopped there."""


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


def _nothing(coded: bytes) -> None:
    return None


class Looking(Stepping):
    """A finder that masks, too (`Bounded`), made of what looks, and what knows what to spare."""

    def __init__(self, looker: Looker, spare: Spare = _nothing) -> None:
        self._looker, self._spare = looker, spare
        self.longest, self.before = looker.longest, looker.before

    def steps(self, text: Text) -> Iterator[Found | None]:
        """See :meth:`Finder.steps`."""
        yield from text.normalising()
        normal = text.normal
        for it in self._looker.looks(normal.coded, 0):
            yield Found(*normal.origin(it.start, it.end), it.category) if it.end else None

    def look(self, text: Text) -> tuple[Sequence[Found], int]:
        """See :meth:`Bounded.look`: one pass tells both."""
        normal, found = text.normal, list[Found]()
        undecided = len(normal.coded)
        for it in self._looker.looks(normal.coded, 0):
            if it.end:
                found.append(Found(*normal.origin(it.start, it.end), it.category))
            if it.open:
                undecided = min(undecided, it.start)
        return found, normal.before(undecided)

    def spare(self, text: Text) -> tuple[int, int] | None:
        """See :meth:`Bounded.spare`."""
        normal, spare = text.normal, self._spare(text.normal.coded)
        if spare is None:
            return None
        start, end = map(normal.before, spare)
        return (start, end) if (normal.after(start), normal.after(end)) == spare else None
