"""Calls of tools in a stream of the OpenAI wire: they come in pieces, several at once.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

MAX_CALLS = 64
MAX_ARGUMENTS = 64 * 1024
MAX_NAME = 160
NO_NAME = "(no name)"


class TooMuch(Exception):
    """More calls, or longer ones, than anybody asks for."""


class Function(msgspec.Struct, gc=False):
    """A piece of a call: its name, and more of its arguments."""

    name: str | None = None
    arguments: Any = None  # a text; some send the object itself


class CallPiece(msgspec.Struct, gc=False):
    """A piece of one of the calls."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


def size_of(said: Any) -> int:
    """Bytes of a text; of what is none, as some tell their thoughts, of the JSON."""
    text = said if isinstance(said, str) else json.dumps(said)
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def piece_size(piece: CallPiece) -> int:
    """Bytes of its name and its arguments."""
    if piece.function is None:
        return 0
    told = (piece.function.name, piece.function.arguments)
    return sum(size_of(it) for it in told if it)


@dataclass(slots=True)
class _Call:
    provider_id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    size: int = 0


class CallPieces:
    """Puts calls together.

    Some providers give no index, or the same to all: there a new id, or a name behind another,
    begins a new call.
    """

    __slots__ = ("_calls", "_latest")

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._latest: dict[int, _Call] = {}

    def add(self, piece: CallPiece) -> None:
        """Take a piece. Raises TooMuch."""
        call = self._of(piece)
        if piece.function is None:
            return
        if piece.function.name and not call.name:
            call.name = piece.function.name[:MAX_NAME]
        arguments = piece.function.arguments
        if arguments is not None:
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            call.size += len(text)
            if call.size > MAX_ARGUMENTS:
                raise TooMuch
            if text:  # of the others there may be any number
                call.arguments.append(text)

    def whole(self) -> list[tuple[str, str]]:
        """Names and arguments of all calls, in the order in which they began."""
        return [
            (whole(it.name) or NO_NAME, whole("".join(it.arguments)) or "{}") for it in self._calls
        ]

    def _of(self, piece: CallPiece) -> _Call:
        index = piece.index if piece.index is not None else -1
        latest = self._latest.get(index)
        if latest is not None and not _begins(piece, latest):
            return latest
        if len(self._calls) >= MAX_CALLS:
            raise TooMuch
        call = _Call(piece.id or "")
        self._calls.append(call)
        self._latest[index] = call
        return call


def whole(text: str) -> str:
    """``text`` with halves of characters put together; one whose other half is missing is odd."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _begins(piece: CallPiece, latest: _Call) -> bool:
    """Whether the piece is the first of another call than the latest of its index."""
    if piece.id and latest.provider_id and piece.id != latest.provider_id:
        return True
    name = piece.function.name if piece.function is not None else None
    if piece.index is not None or not name or not latest.name:
        return False
    return not piece.id or name != latest.name  # some repeat both with each piece
