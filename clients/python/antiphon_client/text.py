"""Putting a message's text together from pieces that may come twice, or folded."""

from collections.abc import Iterable

from antiphon.context.v1.message_pb2 import Part


class Text:
    """One message's text as far as it is known.

    ``pieces`` only grows, so a reader remembers how many it has read. Positions are bytes
    of UTF-8 from the message's beginning.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.complete = False
        self._bytes = 0

    def __str__(self) -> str:
        return "".join(self.pieces)

    def append(self, position: int, text: str) -> str:
        """Add what is new in a piece, and return that.

        A piece behind a hole (its reader came later than the message's beginning) adds
        nothing: the whole message will follow.
        """
        if self.complete or position > self._bytes:
            return ""
        return self._add(text.encode()[self._bytes - position :].decode(errors="replace"))

    def replace(self, whole: str) -> str:
        """Take the committed message instead of the pieces; return what it adds at the end.

        It adds nothing if the pieces are not its beginning.
        """
        partial, self.complete = str(self), True
        if whole.startswith(partial):
            return self._add(whole[len(partial) :])
        self.pieces[:] = [whole]
        self._bytes = len(whole.encode())
        return ""

    def _add(self, text: str) -> str:
        if text:
            self.pieces.append(text)
            self._bytes += len(text.encode())
        return text


def text_of(parts: Iterable[Part]) -> str:
    """A message's text: its text parts, one after the other."""
    return "\n".join(part.text for part in parts if part.HasField("text"))
