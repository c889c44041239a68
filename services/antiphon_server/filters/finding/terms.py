"""Prohibited terms: whole words and parts of words, found in one pass however many there are."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from antiphon_server.filters.finding.model import Found, Stepping
from antiphon_server.filters.finding.text import Normal, Text

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_CATEGORY = "term"
_AT_ONCE = 4096
"""Characters that are looked at together: it bounds how many matches are held at a time."""


class Terms(Stepping):
    """Finds terms in any case, and however their letters are disguised; blanks are all alike.

    ``words`` are found where neither a letter nor a digit is beside them, ``parts`` anywhere.
    Terms that have nothing visible are left out.
    """

    def __init__(self, words: Sequence[str], parts: Sequence[str] = ()) -> None:
        anywhere = _forms(parts)
        self._terms = sorted(_forms(words) | anywhere)
        self._anywhere = [it in anywhere for it in self._terms]
        self._firsts = {it[0] for it in self._terms}
        self.longest = max(map(len, self._terms), default=0) + 1
        self.before = 1
        self._automaton = _automaton(self._terms)

    def steps(self, text: Text) -> Iterator[Found | None]:
        """Each occurrence, also within another one."""
        yield from text.folding()
        normal, value = text.folded, text.folded.value
        for begin in range(0, len(value), _AT_ONCE):
            piece = value[begin : begin + _AT_ONCE + self.longest]
            for term, start, end in self._automaton.find_matches_as_indexes(piece, True):
                if start < _AT_ONCE and self._counts(term, normal, begin + start, begin + end):
                    yield Found(*normal.origin(begin + start, begin + end), _CATEGORY)
                else:
                    yield None
            yield None

    def look(self, text: Text) -> tuple[Sequence[Found], int]:
        """See :meth:`Bounded.look`."""
        return self.find(text), self._undecided(text)

    def _undecided(self, text: Text) -> int:
        """Where the longest end of the text begins that a term begins with."""
        value = text.folded.value
        for start in range(max(0, len(value) - self.longest), len(value)):
            if value[start] in self._firsts and self._begins(value[start:]):
                return text.folded.before(start)
        return len(text.original)

    def _counts(self, term: int, normal: Normal, start: int, end: int) -> bool:
        if not self._anywhere[term]:
            value = normal.value
            if value[end : end + 1].isalnum() or (start and value[start - 1].isalnum()):
                return False
        return normal.whole(start, end)

    def _begins(self, said: str) -> bool:
        at = bisect_left(self._terms, said)
        return at < len(self._terms) and self._terms[at].startswith(said)


def _forms(terms: Iterable[str]) -> set[str]:
    """As they are folded in each case: a few letters look like others in large and in small."""
    cases = (str, str.lower, str.upper, str.title)
    return {Text(case(it)).folded.value for it in terms for case in cases} - {""}


def _automaton(terms: Sequence[str]) -> "AhoCorasick":
    from ahocorasick_rs import AhoCorasick

    return AhoCorasick(terms)
