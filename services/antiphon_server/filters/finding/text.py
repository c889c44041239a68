"""A text as finders see it: normalised, with the way back to what was said."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, islice

from antiphon_server.filters.finding.characters import FOLDED, NORMAL, plain

_AT_ONCE = 1024
"""Characters of which normal forms are made together, in some 100 us."""
_SPACES = dict.fromkeys(map(ord, "\t\n\v\f\r"), " ")


class Normal:
    """A text's normal form, and where each of its characters comes from. ``value`` is that form."""

    def __init__(self, value: str, ends: Sequence[int] | None = None) -> None:
        self.value = value
        self._ends = ends

    @cached_property
    def coded(self) -> bytes:
        """One byte for each character, `?` for those that are none of ASCII or Latin-1."""
        return self.value.encode("latin-1", "replace")

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """From where to where that is in what was said; not empty, unless it is empty here."""
        if self._ends is None or start == end:
            return self.before(start), self.before(end)
        return bisect_right(self._ends, start), bisect_left(self._ends, end) + 1

    def before(self, position: int) -> int:
        """How many characters were said before that one; invisible ones right before it count."""
        return position if self._ends is None else bisect_right(self._ends, position)

    def after(self, said: int) -> int:
        """How many of its characters come from that many that were said."""
        return said if self._ends is None else self._ends[said - 1] if said else 0

    def whole(self, start: int, end: int) -> bool:
        """Whether it begins and ends where what was said does: one character may become two."""
        if self._ends is None:
            return True
        first, last = self.origin(start, end)
        return self._ends[last - 1] == end and (not first or self._ends[first - 1] == start)


class Text:
    """What was said, ``original``, and what finders need of it, made when first asked for."""

    def __init__(self, original: str) -> None:
        self.original = original

    @cached_property
    def is_plain(self) -> bool:
        """Whether it is its own normal form."""
        return plain(self.original)

    @cached_property
    def normal(self) -> Normal:
        """Without what is invisible and without accents, in ASCII where it looks like that."""
        return Normal(self.original) if self.is_plain else self._all(NORMAL)

    @cached_property
    def folded(self) -> Normal:
        """The normal form, where large letters are small ones, and all blanks are spaces."""
        if self.is_plain:
            return Normal(self.original.lower().translate(_SPACES))
        return self._all(FOLDED)

    def normalising(self) -> Iterator[None]:
        """Make ``normal``, a little at a time."""
        yield from self._making("normal", NORMAL)

    def folding(self) -> Iterator[None]:
        """Make ``folded``, a little at a time."""
        yield from self._making("folded", FOLDED)

    def _making(self, name: str, table: Mapping[str, str]) -> Iterator[None]:
        if self.is_plain or name in self.__dict__:
            return
        made = _Made()
        for begin in range(0, len(self.original), _AT_ONCE):
            made.add([table[it] for it in self.original[begin : begin + _AT_ONCE]])
            yield None
        self.__dict__[name] = made.normal()

    def _all(self, table: Mapping[str, str]) -> Normal:
        made = _Made()
        made.add([table[it] for it in self.original])
        return made.normal()


class _Made:
    """A normal form that is made piece by piece."""

    def __init__(self) -> None:
        self._values, self._ends, self._is_even = list[str](), list[int](), True

    def add(self, pieces: Sequence[str]) -> None:
        """``pieces``: what each of the next characters becomes."""
        sizes = [len(it) for it in pieces]
        self._values.append("".join(pieces))
        self._is_even = self._is_even and sizes.count(1) == len(sizes)
        before = self._ends[-1] if self._ends else 0
        self._ends.extend(islice(accumulate(sizes, initial=before), 1, None))

    def normal(self) -> Normal:
        """All of it."""
        return Normal("".join(self._values), None if self._is_even else self._ends)
