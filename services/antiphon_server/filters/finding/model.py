"""What finders find, and what they promise."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from antiphon_server.filters.finding.text import Text

MOST_FOUND = 50_000
"""So many places are looked for in a message: sorting and cutting more would hold others up."""


class Found(NamedTuple):
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

    def steps(self, text: Text) -> Iterator[Found | None]:
        """The same, step by step, each of some microseconds: None where one has found nothing."""


class Stepping:
    """A finder that has its steps."""

    def find(self, text: Text) -> Sequence[Found]:
        """See :meth:`Finder.find`."""
        return [it for it in self.steps(text) if it]

    def steps(self, text: Text) -> Iterator[Found | None]:
        """See :meth:`Finder.steps`."""
        raise NotImplementedError

    def spare(self, text: Text) -> tuple[int, int] | None:
        """See :meth:`Bounded.spare`."""
        return None


class Bounded(Finder, Protocol):
    """A finder whose matches have a longest length, so that streamed text can be masked by it.

    What is found anywhere depends on at most ``before`` visible characters before its start.
    """

    @property
    def longest(self) -> int:
        """What it finds has at most so many visible characters."""

    @property
    def before(self) -> int:
        """By so many visible characters before it, at most, it tells what it is."""

    def look(self, text: Text) -> tuple[Sequence[Found], int]:
        """What it finds, and from which character said on that depends on what follows.

        That is at most ``longest`` visible characters before the text's end. What is found that
        starts before it is found, and the same, whatever follows, and nothing else starts there.
        """

    def spare(self, text: Text) -> tuple[int, int] | None:
        """From which character said to which one a text is held back that is not needed.

        Without it all is found and undecided that is with it: it is the middle of a match that goes
        on. None where there is no such.
        """
