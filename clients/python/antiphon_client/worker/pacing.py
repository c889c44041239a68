"""Text on its way: in pieces that follow time, not tokens."""

import asyncio
from collections.abc import Iterator

EVERY_S = 0.025
"""A pace at which text flows for the eye: the server stores it at no other."""
MOST_BYTES = 64 * 1024
"""Of UTF-8 in a frame."""


class PacedText:
    """What was written and not sent yet: one frame of at most 64 KiB.

    The first text after a pause is due at once, what follows every 25 ms: at times that all turns
    have in common, since a server reads and stores together what comes together.
    """

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[str] = []
        self._due = 0.0

    def takes(self, piece: str) -> bool:
        """Whether there is room for it; alone, any piece of :func:`pieces_of` has."""
        return not self.size or self.size + _size(piece) <= MOST_BYTES

    def add(self, piece: str) -> None:
        """Put it behind what is there."""
        self.size += _size(piece)
        self._pieces.append(piece)

    @property
    def due(self) -> float:
        """When to send it, by the loop's clock; a full frame waits no longer."""
        return 0.0 if self.size >= MOST_BYTES // 2 else self._due

    def take(self) -> str:
        """All that is there; what comes next waits for its time."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        self._due = (asyncio.get_running_loop().time() // EVERY_S + 1) * EVERY_S
        return text


def pieces_of(text: str) -> Iterator[str]:
    """The text in pieces of a frame at most, cut between characters.

    Raises UnicodeEncodeError for what is no text: half of a surrogate pair.
    """
    if _size(text) <= MOST_BYTES:
        yield text
        return
    most = MOST_BYTES // 4  # as many characters fit, whichever they are
    for begin in range(0, len(text), most):
        yield text[begin : begin + most]


def cut(text: str, most: int) -> str:
    """Its beginning of at most so many bytes of UTF-8, cut between characters."""
    encoded = text.encode()
    return text if len(encoded) <= most else encoded[:most].decode(errors="ignore")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
