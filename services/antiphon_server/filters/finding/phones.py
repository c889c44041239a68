"""Phone numbers, by the plans of numbering that the package `phonenumbers` keeps."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import re2

from antiphon_server.filters.finding.looking import NOTHING, Look
from antiphon_server.filters.finding.patterns import latin

_CATEGORY = "phone"
_MOST = 32
_LEAST_DIGITS, _MOST_DIGITS = 7, 15
_ABROAD = rb"\+[0-9(]|00[1-9]"
_AT_HOME = rb"\(?0[1-9]|\(?[2-9][0-9]{2}[) .-]{1,2}[0-9]{3}"
_RUN = re.compile(rb"[0-9 ()./-]{0,%d}" % _MOST)
_BEGUN = re.compile(rb"(?:\+|00?|\(0?|\(?[2-9][0-9]{0,2}[) .-]{0,2}[0-9]{0,2})\Z")
_GROUP, _OTHERS = re.compile(rb"[0-9]+"), re.compile(rb"[^0-9]+")
_TRIES = 4
"""Ends of groups that are tried, from the last: what follows may look like more of a number."""


class Phones:
    """Looks for numbers with a country's code, and for those of ``regions`` as dialled there.

    ``regions``: codes such as `DE`. What isn't in use as a number is none. The first that is made
    takes 0.1 s.
    """

    longest, before = _MOST + 8, 2

    def __init__(self, regions: Sequence[str] = ()) -> None:
        self._regions = tuple(regions)
        _load()
        heads = _ABROAD + b"|" + _AT_HOME if regions else _ABROAD
        self._heads = re2.compile(heads, latin())

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """What is a number from where one may begin."""
        for start in self._starts(coded, at):
            yield self._look(coded, start) if _may_begin(coded, start) else NOTHING
        first = max(at, len(coded) - 9)
        for start in range(first, len(coded)):
            if _BEGUN.match(coded, start) and _may_begin(coded, start):
                yield Look(start, 0, True, _CATEGORY)

    def _starts(self, coded: bytes, at: int) -> Iterator[int]:
        """Also where one begins within another one."""
        match = self._heads.search(coded, at)
        while match:
            yield match.start()
            match = self._heads.search(coded, match.start() + 1)

    def _look(self, coded: bytes, start: int) -> Look:
        behind = start + (coded[start : start + 1] == b"+")
        limit = _RUN.match(coded, behind).end()  # type: ignore[union-attr]  # of 0, too
        cut_short = limit == len(coded) and limit < behind + _MOST
        ends = [it.end() for it in _GROUP.finditer(coded, behind, limit)]
        if coded[limit : limit + 1].isalnum() and ends[-1:] == [limit]:
            ends.pop()
        sizes = [(end, len(_OTHERS.sub(b"", coded[start:end]))) for end in ends]
        fitting = [end for end, size in sizes if _LEAST_DIGITS <= size <= _MOST_DIGITS]
        for end in fitting[: -_TRIES - 1 : -1]:
            if self._is_one(coded[start:end]):
                return Look(start, end, cut_short, _CATEGORY)
        return Look(start, 0, cut_short, _CATEGORY)

    def _is_one(self, said: bytes) -> bool:
        digits = _OTHERS.sub(b"", said)
        if said[:1] == b"+":
            return _valid("+" + digits.decode(), None)
        if said[:2] == b"00" and _valid("+" + digits[2:].decode(), None):
            return True
        return any(_valid(digits.decode(), region) for region in self._regions)


def _may_begin(coded: bytes, start: int) -> bool:
    """Whether it is no part of a word, nor a later group of a number without a `+`."""
    before = coded[max(0, start - 2) : start]
    if before[-1:].isalnum():
        return False
    return coded[start : start + 1] == b"+" or not (before[:1].isdigit() and len(before) == 2)


@cache
def _load() -> None:
    """All plans at once, 0.1 s: else each country's is read from a file when it is first met."""
    import phonenumbers

    phonenumbers.PhoneMetadata.load_all()


@lru_cache(maxsize=4096)
def _valid(digits: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False
