"""Searching a message's parts, a little at a time: who searches decides when to go on."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice, pairwise

from antiphon_server.filters.finding.model import MOST_FOUND, Finder, Found
from antiphon_server.filters.finding.text import Text

_BETWEEN = "\n"
_AT_ONCE = 16
"""So many steps of finders are taken between two looks at the clock, each some 50 us at most."""


class Search:
    """Finds all that is in the parts as one text, and in each alone; at most `MOST_FOUND`.

    Joined a thing is found that was split; apart one that follows a part's last word. Of three and
    more each two are one text, too: then one is found that was split between two words. The places
    count the characters of all parts behind each other.
    """

    def __init__(self, parts: Sequence[str], finders: Sequence[Finder]) -> None:
        self._found = dict[Found, None]()  # in order: sorting what is nearly sorted is quick
        self._steps = _steps(parts, finders)

    def go_on(self, within_s: float) -> bool:
        """Search for so long, and whether that was all. Not to be called by two at once."""
        until = time.perf_counter() + within_s
        while steps := list(islice(self._steps, _AT_ONCE)):
            self._found.update(dict.fromkeys(filter(None, steps)))
            if len(self._found) >= MOST_FOUND:
                return True
            if time.perf_counter() > until:
                return False
        return True

    def found(self) -> list[Found]:
        """What was found so far, in order of where it starts."""
        return sorted(self._found)[:MOST_FOUND]


def found_in(parts: Sequence[str], finders: Sequence[Finder]) -> list[Found]:
    """All that a `Search` finds."""
    search = Search(parts, finders)
    while not search.go_on(1.0):
        pass
    return search.found()


def _steps(parts: Sequence[str], finders: Sequence[Finder]) -> Iterator[Found | None]:
    text = Text("".join(parts))
    for finder in finders:
        yield from finder.steps(text)
    for pieces in _apart(parts):
        apart, join = Text(_BETWEEN.join(pieces)), _joining(pieces)
        for finder in finders:
            for it in finder.steps(apart):
                yield join(it) if it else None


def _apart(parts: Sequence[str]) -> Iterator[Sequence[str]]:
    """What is to be looked at with something between, beside all as one: each, and each two."""
    full = [it for it in parts if it]
    if len(full) > 1:
        yield full
    if len(full) > 2 and any(_touch(*it) for it in pairwise(full)):
        yield _twos(full)
        yield [full[0], *_twos(full[1:])]


def _touch(before: str, behind: str) -> bool:
    """Whether no blank parts them: what is in one may seem to be a part of a word."""
    return not (before[-1:].isspace() or behind[:1].isspace())


def _twos(parts: Sequence[str]) -> Sequence[str]:
    """Each two as one."""
    return ["".join(parts[at : at + 2]) for at in range(0, len(parts), 2)]


def _joining(parts: Sequence[str]) -> Callable[[Found], Found]:
    """From what was found in parts with a separator between each two to where it is without."""
    separators = [end + at for at, end in enumerate(accumulate(map(len, parts[:-1])))]

    def joined(it: Found) -> Found:
        start = it.start - bisect_left(separators, it.start)
        return Found(start, it.end - bisect_left(separators, it.end), it.category, it.score)

    return joined
