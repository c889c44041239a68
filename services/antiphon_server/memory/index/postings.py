"""Which documents a term is in, and how often."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BITS = 4
_MOST = (1 << _BITS) - 1
_ENTRY = 190  # bytes of a term beside its postings and its characters: its array, its place


class Moved(NamedTuple):
    """A term has another first document, or its first, or none any more.

    Attributes:
        size: What its entry takes, in bytes.
        before: The slot of the first document before, -1 for none.
        after: The slot now, -1 for none.
    """

    size: int
    before: int
    after: int


class Postings:
    """Terms to slots, ascending. A posting is a slot and how often the term is there, up to 15.

    A term that is in no document any more is forgotten.
    """

    def __init__(self) -> None:
        self._of: dict[str, array[int]] = {}

    def __len__(self) -> int:
        return len(self._of)

    def __contains__(self, term: str) -> bool:
        return term in self._of

    def add(self, slot: int, terms: Mapping[str, int]) -> list[Moved]:
        """Add a document, mostly one behind all others; tells which terms it is the first of."""
        moved = []
        for term, count in terms.items():
            code = slot << _BITS | min(count, _MOST)
            kept = self._of.get(term)
            if kept is None:
                self._of[term] = array("Q", (code,))
                moved.append(Moved(_size(term), -1, slot))
            elif kept[-1] < code:
                kept.append(code)
            else:
                first = kept[0] >> _BITS
                kept.insert(bisect_left(kept, code), code)
                if slot < first:
                    moved.append(Moved(_size(term), first, slot))
        return moved

    def remove(self, dead: NDArray[np.bool_], terms: Iterable[str]) -> list[Moved]:
        """Remove the dead slots from the postings of these terms; tells which had one first."""
        moved = []
        for term in terms:
            codes = np.frombuffer(self._of[term], np.uint64)
            first = int(codes[0]) >> _BITS
            left = codes[~dead[codes >> np.uint64(_BITS)]]
            after = int(left[0]) >> _BITS if len(left) else -1
            if len(left):
                self._of[term] = array("Q", left.tobytes())
            else:
                del codes, self._of[term]
            if after != first:
                moved.append(Moved(_size(term), first, after))
        return moved

    def renumber(self, moved: NDArray[np.int64]) -> None:
        """Give each slot its new number; the order stays."""
        for term, kept in self._of.items():
            codes = np.frombuffer(kept, np.uint64).astype(np.int64)
            codes = moved[codes >> _BITS] << _BITS | codes & _MOST
            self._of[term] = array("Q", codes.astype(np.uint64).tobytes())

    def get(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """The term's slots and its counts in them, or None if no document has it."""
        kept = self._of.get(term)
        if kept is None:
            return None
        codes = np.array(np.frombuffer(kept, np.int64))  # a copy: a lent buffer could not grow
        return codes >> _BITS, codes & _MOST


def _size(term: str) -> int:
    """What a term takes beside its postings, about."""
    return _ENTRY + len(term) * (1 if term.isascii() else 3)
