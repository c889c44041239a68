"""Cutting what was found out of a message's parts."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, takewhile

from antiphon_server.filters.finding.model import Found


def cut(parts: Sequence[str], found: Sequence[Found], mark: str = "") -> list[str]:
    """The parts with ``mark`` in place of what was found, or `[category]`; the rest is as it was.

    What overlaps is one, named as the first of it, in each part that it is cut out of: a part that
    had something has not just nothing.
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
    if not part:
        return ""
    pieces, at = list[str](), 0
    for it in takewhile(lambda it: it.start < start + len(part), holes):
        pieces += [part[at : max(at, it.start - start)], mark or f"[{it.category}]"]
        at = it.end - start
    return "".join([*pieces, part[at:]])
