"""Long words in pieces that one call can carry, and what stands where calls meet."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

PIECE = 64 * 1024
"""Characters: at most 256 KiB, as a part of a message may have."""
MOST_ASKED = 2 * 1024 * 1024
"""Bytes of one call, which may be answered with as many; a port takes 4 MiB."""
SEAM = 32 * 1024
"""So many characters at each side of where two calls meet are looked at together."""


class Piece(NamedTuple):
    """A part of the text at a place; ``most`` says how many bytes may be left of it."""

    at: int
    text: str
    most: int


Words: TypeAlias = Sequence[tuple[str, int]]


def pieces_of(words: Words) -> Sequence[Sequence[Piece]]:
    """All words, in order, as many calls as they need."""
    calls: list[list[Piece]] = [[]]
    room = MOST_ASKED
    for piece in _pieces(words):
        size = len(piece.text.encode())
        if size > room and calls[-1]:
            calls.append([])
            room = MOST_ASKED
        calls[-1].append(piece)
        room -= size
    return calls


def whole(words: Words, left: Iterable[Piece]) -> Sequence[str]:
    """The words again, of the pieces that are left."""
    texts: list[list[str]] = [[] for _ in words]
    for piece in left:
        texts[piece.at].append(piece.text)
    return ["".join(it) for it in texts]


def seams(calls: Sequence[Sequence[Piece]]) -> Iterable[str]:
    """What stands where two calls meet, each of which sees but half of it."""
    said = ["".join(piece.text for piece in it) for it in calls]
    return (one[-SEAM:] + other[:SEAM] for one, other in pairwise(said))


def _pieces(words: Words) -> Iterable[Piece]:
    for at, (text, most) in enumerate(words):
        for begin in range(0, len(text) or 1, PIECE):
            yield Piece(at, text[begin : begin + PIECE], most)
