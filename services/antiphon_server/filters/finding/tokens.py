"""Finds secrets by their shapes: one pass finds all heads, and at each what follows is read."""

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set

import re2

from antiphon_server.filters.finding.looking import NOTHING, Look
from antiphon_server.filters.finding.patterns import latin
from antiphon_server.filters.finding.shapes import Shape

_TOLD_BY = 3
"""Heads that begin alike in so many characters are few; none is shorter."""


class Tokens:
    """Looks for all of ``shapes``; ``any_case``: their heads, written in small letters, in any."""

    def __init__(self, shapes: Sequence[Shape], any_case: bool = False) -> None:
        self._any_case = any_case
        self._heads = re2.compile(b"|".join(it.pattern for it in shapes), latin(any_case))
        self._of = defaultdict[bytes, list[Shape]](list)
        for it in shapes:
            for head in it.heads:
                self._of[head].append(it)
        self._sizes = defaultdict[bytes, list[int]](list)
        for size in sorted(set(map(len, self._of)), reverse=True):
            for begun in {it[:_TOLD_BY] for it in self._of if len(it) == size}:
                self._sizes[begun].append(size)
        self._longest_head = max(map(len, self._of))
        self._begun = _beginnings(shapes)
        self._longest_begun = max(map(len, self._begun), default=0)
        self.longest = max(sum(it.sizes) for it in shapes)
        self.before = max(it.before for it in shapes)

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """What each head begins, and a head that the text's end may have begun."""
        for match in self._heads.finditer(coded, max(0, at - self.before)):
            yield from self._of_head(coded, match.start())
            yield NOTHING
        for start in range(max(at, len(coded) - self._longest_begun), len(coded)):
            if coded[start:] in self._begun:
                yield Look(start, 0, True, "")

    def _of_head(self, coded: bytes, at: int) -> Iterator[Look]:
        bounded = not coded[at - 1 : at].isalnum()
        said = coded[at : at + self._longest_head]
        said = said.lower() if self._any_case else said
        for size in self._sizes[said[:_TOLD_BY]]:
            looks = [
                Look(*shape.read(coded, at, at + size), shape.category)
                for shape in self._of.get(said[:size], ())
                if bounded or shape.glued
            ]
            yield from looks
            if any(it.end for it in looks):
                return  # nothing shorter says better what it is


def _beginnings(shapes: Sequence[Shape]) -> Set[bytes]:
    """Of heads that are themselves secret, without the whole ones."""
    heads = (head for shape in shapes if shape.first is None for head in shape.heads)
    return {head[:size] for head in heads for size in range(1, len(head))}
