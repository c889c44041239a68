"""Finding in a message's parts, and cutting what was found out of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, takewhile

from antiphon_server.filters.finding.model import Finder, Found
from antiphon_server.filters.finding.text import Text

_BETWEEN = "\n"


def found_in(parts: Sequence[str], finders: Sequence[Finder]) -> Sequence[Found]:
    """All that is found in the parts as one text, and in each alone, in order of where it starts.

    Joined a thing is found that was split; apart one that follows a part's last word. ``start`` and
    ``end`` count the characters of all parts behind each other.
    """
    found = _found(Text("".join(parts)), finders)
    if len(parts) > 1:
        apart = _found(Text(_BETWEEN.join(parts)), finders)
        found |= _joined(apart, parts)
    return sorted(found)


def cut(parts: Sequence[str], found: Sequence[Found], mark: str = "") -> list[str]:
    """The parts with ``mark`` in place of what was found, or `[category]`; the rest is as it was.

    What overlaps is one, named as the first of it. It is named where it starts.
    """
    holes = merged(found)
    until = [it.end for it in holes]
    ends = [0, *accumulate(map(len, parts))]
    return [
        _cut(part, start, holes[bisect_right(until, start) :], mark)
        for part, start in zip(parts, ends, strict=False)
    ]


def merged(found: Sequence[Found]) -> list[Found]:
    """In order, what overlaps as one, in the category of what starts first, or else is longest.

    What touches is one, too, if it is of one category.
    """
    holes: list[Found] = []
    for it in sorted(found, key=lambda it: (it.start, -it.end, it.category)):
        last = holes[-1] if holes else Found(0, 0, "")
        if it.start < last.end or (it.start == last.end and it.category == last.category):
            end, score = max(last.end, it.end), max(last.score, it.score)
            holes[-1] = Found(last.start, end, last.category, score)
        else:
            holes.append(it)
    return holes


def _cut(part: str, start: int, holes: Sequence[Found], mark: str) -> str:
    """``start``: how many characters the parts before have; ``holes`` end behind it."""
    pieces, at = [], 0
    for it in takewhile(lambda it: it.start < start + len(part), holes):
        pieces.append(part[at : max(at, it.start - start)])
        if it.start >= start:
            pieces.append(mark or f"[{it.category}]")
        at = it.end - start
    return "".join([*pieces, part[at:]])


def _found(text: Text, finders: Sequence[Finder]) -> set[Found]:
    return {found for finder in finders for found in finder.find(text)}


def _joined(found: set[Found], parts: Sequence[str]) -> set[Found]:
    """What was found in parts with a separator between each two, where it is without them."""
    separators = [end + at for at, end in enumerate(accumulate(map(len, parts[:-1])))]
    return {
        Found(
            it.start - bisect_left(separators, it.start),
            it.end - bisect_left(separators, it.end),
            it.category,
            it.score,
        )
        for it in found
    }
