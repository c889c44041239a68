"""Shapes of secrets: what they begin with, what follows, and how that is read in one direction.

No shape needs to go back, so reading one takes as long as it is, and knows at the text's end
whether more of it may come.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import re2


@dataclass(frozen=True)
class Run:
    """From ``least`` to ``most`` characters of a class as in patterns, as many as there are."""

    of: str
    least: int
    most: int

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """All of them at once."""
        return re.compile(f"[{self.of}]{{0,{self.most}}}".encode("latin-1"))

    def read(self, coded: bytes, at: int) -> "Read":
        """Its end; open where the text ends before there are as many as may be."""
        end = self.pattern.match(coded, at).end()  # type: ignore[union-attr]  # of 0, too
        return Read(end if end - at >= self.least else 0, end == len(coded) < at + self.most)


class Read(NamedTuple):
    """Where what was read ends, 0 if it isn't there; ``open`` if what follows may change that."""

    end: int
    open: bool


Atom = Run | bytes


def _any(secret: bytes) -> bool:
    return True


@dataclass(frozen=True)
class Shape:
    """A secret: one of ``heads``, then the atoms of ``rest``, and what ``check`` says of it.

    ``heads`` begin behind no letter or digit, unless they are ``glued``. The atoms from ``first``
    to before ``last`` are the secret; with ``first`` None the head belongs to it, too. Behind a
    head that doesn't, ``then`` must be found, a pattern: it saves reading what else follows.
    """

    category: str
    heads: Sequence[bytes]
    rest: Sequence[Atom]
    check: Callable[[bytes], bool] = _any
    glued: bool = False
    first: int | None = None
    last: int | None = None
    then: bytes = b""

    @property
    def pattern(self) -> bytes:
        """Of its heads with what must follow, for RE2."""
        return b"(?:" + b"|".join(map(re2.escape, self.heads)) + b")" + self.then

    @cached_property
    def sizes(self) -> Sequence[int]:
        """Of its longest head, and of its atoms, at most."""
        rest = (len(it) if isinstance(it, bytes) else it.most for it in self.rest)
        return max(map(len, self.heads)), *rest

    @property
    def before(self) -> int:
        """How long is at most what tells it and stands before it; one that bounds the head."""
        return 1 + (0 if self.first is None else sum(self.sizes[: self.first + 1]))

    def read(self, coded: bytes, at: int, head: int) -> tuple[int, int, bool]:
        """Start, end and openness, as `Look` has them, with a head from ``at`` to ``head``.

        Before it has started that is where the text ends, as there is nothing of it.
        """
        start = at if self.first is None else len(coded)
        read, end = Read(head, head == len(coded)), head
        for number, atom in enumerate(self.rest):
            if number == self.first:
                start = read.end
            read = _read(atom, coded, read.end)
            if not read.end:
                return start, 0, read.open
            if self.last is None or number < self.last:
                end = read.end
        return start, end if self.check(coded[start:end]) else 0, read.open


def _read(atom: Atom, coded: bytes, at: int) -> Read:
    if isinstance(atom, Run):
        return atom.read(coded, at)
    there = coded[at : at + len(atom)]
    if there == atom:
        return Read(at + len(atom), False)
    return Read(0, len(there) < len(atom) and atom.startswith(there))
