"""Card numbers: by issuer, length and Luhn's checksum, however they are grouped."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple

import re2

from antiphon_server.filters.finding.flanks import stands_alone, tail
from antiphon_server.filters.finding.looking import NOTHING, Look
from antiphon_server.filters.finding.patterns import latin

_CATEGORY = "card"
_MOST = 19
_BETWEEN = 3
_RUN = re2.compile(rb"[0-9](?:[-./_ ]{0,3}[0-9]){13,}", latin())
_GROUP = re.compile(rb"(?<![0-9])[0-9]+")
_TAIL = b"0123456789-./_, "
_AT_ONCE = 256
"""Characters of a stretch in which numbers begin that are looked at together, in some 50 us."""
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


@cache
def lengths(first: bytes) -> Sequence[int]:
    """How many digits a number has that begins with those four; none: nobody issues such.

    As the issuers' ranges are published. Of 13 digits there are none any more.
    """
    four = int(first) if len(first) == 4 else 0
    two = four // 100
    if two in (34, 37):
        return (15,)
    if two in (36, 38, 39) or 3000 <= four <= 3059 or four == 3095:
        return (14, 16)
    if two // 10 == 4 or two == 62 or four == 6011 or 6440 <= four <= 6599:
        return (16, 19)
    if 51 <= two <= 55 or 2200 <= four <= 2204 or 2221 <= four <= 2720 or 3528 <= four <= 3589:
        return (16,)
    return (16, 18, 19) if two in (50, 56, 57, 58, 67) or four == 6304 else ()


class _Groups(NamedTuple):
    """Groups of digits beside each other: all digits, and each group's place among them."""

    digits: bytes
    spans: Sequence[tuple[int, int]]
    starts: Sequence[int]
    sums: tuple[Sequence[int], Sequence[int]]
    """Of the digits before each, where every second one counts as Luhn doubles it: which ones?
    In the first those at odd places, in the other those at even ones."""


class Cards:
    """Looks for groups of digits that together are a card number."""

    longest = _MOST + (_MOST - 1) * _BETWEEN + 2
    before = 2

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """All that are one, and what the text's end leaves open."""
        for match in _RUN.finditer(coded, at):
            start, end = match.span()
            for begin in range(start, end, _AT_ONCE):
                groups = _groups(coded, begin, min(end, begin + _AT_ONCE + self.longest))
                yield from _cards(coded, groups, begin + _AT_ONCE)
                yield NOTHING
        yield from _open(coded, at)


def _groups(coded: bytes, start: int, end: int) -> _Groups:
    """Those that begin there; one that the end cuts off is longer than any number."""
    spans = [it.span() for it in _GROUP.finditer(coded, start, end)]
    digits = b"".join(coded[first:last] for first, last in spans)
    starts = [0, *accumulate(last - first for first, last in spans)]
    values = [it - 48 for it in digits]
    both = tuple(
        [0, *accumulate(_DOUBLED[it] if at % 2 == odd else it for at, it in enumerate(values))]
        for odd in (1, 0)
    )
    return _Groups(digits, spans, starts, (both[0], both[1]))


def _cards(coded: bytes, groups: _Groups, before: int) -> Iterator[Look]:
    """Those whose first group begins before that."""
    number_of = {start: at for at, start in enumerate(groups.starts)}
    for at, begin in enumerate(groups.starts[:-1]):
        if groups.spans[at][0] >= before:
            return
        for size in lengths(groups.digits[begin : begin + 4]):
            behind = number_of.get(begin + size)
            if behind is None or not _passes(groups.sums, begin, begin + size):
                continue
            start, end = groups.spans[at][0], groups.spans[behind - 1][1]
            alike = _grouped(groups.starts[at : behind + 1])
            if alike and stands_alone(coded, start, end):
                yield Look(start, end, False, _CATEGORY)


def _passes(sums: tuple[Sequence[int], Sequence[int]], start: int, end: int) -> bool:
    """Luhn's: from the last digit on every second one is doubled."""
    before = sums[0] if end % 2 else sums[1]
    return (before[end] - before[start]) % 10 == 0


def _grouped(starts: Sequence[int]) -> bool:
    """Whether they are as long as each other but for the last, or as those of 14 and 15 digits."""
    sizes = [end - start for start, end in pairwise(starts)]
    if all(it == sizes[0] for it in sizes[:-1]) and sizes[-1] <= sizes[0]:
        return True
    return sizes[:2] == [4, 6] and len(sizes) == 3


def _open(coded: bytes, at: int) -> Iterator[Look]:
    """The first group of which a number may yet be made by what follows the text."""
    first = max(at, tail(coded, _TAIL, Cards.longest))
    groups = [it.span() for it in _GROUP.finditer(coded, first)]
    behind, digits, open_at = len(coded), b"", -1
    for start, end in reversed(groups):
        digits = coded[start:end] + digits
        if behind - end > _BETWEEN or len(digits) > _MOST:
            break
        if coded[start - 1 : start].isdigit():
            break
        if len(digits) < 4 or len(digits) <= max(lengths(digits[:4]), default=0):
            open_at = start
        behind = start
    if open_at >= 0:
        yield Look(open_at, 0, True, _CATEGORY)
