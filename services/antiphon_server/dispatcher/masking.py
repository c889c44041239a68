"""Answers that come in pieces, masked before anybody sees them."""

from collections import deque
from typing import Protocol

from antiphon_server.dispatcher.model import Turn


class Mask(Protocol):
    """Masks one text that comes in pieces."""

    @property
    def held(self) -> int:
        """How many characters of what it was fed it holds back."""
        ...

    def feed(self, text: str) -> str:
        """What may be shown now; the rest may be part of something that is not."""
        ...

    def end(self) -> str:
        """What may be shown of the rest."""
        ...


class Masking(Protocol):
    """How the answer of one turn is masked."""

    def begin(self) -> Mask:
        """A mask for what an attempt says."""
        ...

    async def close(self) -> None:
        """Have told what was found. Raises DomainError."""
        ...


class Masks(Protocol):
    """Knows how answers are masked."""

    async def of(self, turn: Turn) -> Masking | None:
        """How a turn's is; None where no filter looks at answers. Raises DomainError."""
        ...


MOST_HELD = 16
"""So many of a worker's outputs may be held back in part: it waits for word of them some time."""


class Shown:
    """What of an answer may be shown, and which of a worker's outputs are in that as a whole.

    An output counts as stored only when nothing of it is held back: who loses it says it again. Of
    more than 16 the oldest count all the same.
    """

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask
        self._fed = 0
        self._outputs: deque[tuple[int, int]] = deque()

    def take(self, text: str, output: int) -> tuple[str, int]:
        """What may be shown with ``text``, and the newest output that is shown with it."""
        if self._mask is None:
            return text, output
        shown = self._mask.feed(text)
        self._fed += len(text)
        return shown, self.counted(output)

    def counted(self, output: int) -> int:
        """The newest output that is shown as a whole, when ``output`` has come; 0 if none is."""
        if self._mask is None:
            return output
        if output:
            self._outputs.append((self._fed, output))
        shown, newest = self._fed - self._mask.held, 0
        while self._outputs and self._outputs[0][0] <= shown:
            newest = self._outputs.popleft()[1]
        while len(self._outputs) > MOST_HELD:
            newest = self._outputs.popleft()[1]
        return newest

    def rest(self) -> tuple[str, int]:
        """What may be shown at the end, and the newest output."""
        if self._mask is None:
            return "", 0
        shown = self._mask.end()
        newest = self._outputs[-1][1] if self._outputs else 0
        self._outputs.clear()
        return shown, newest
