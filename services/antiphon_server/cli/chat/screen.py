"""A terminal on which text streams, with a line of status that comes and goes."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.cells import cell_len

from antiphon_server.cli.console import printable

_DIM, _RED, _BOLD, _PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[1m", "\x1b[0m"
_ERASE = "\r\x1b[K"
_TAB = 8


class Screen:
    """Where a chat is shown.

    Text goes to stdout. Everything else does too on a terminal; where stdout is something
    else, it goes to stderr, in plain lines.
    """

    def __init__(self, out: TextIO | None = None, notes: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._notes = notes or sys.stderr
        self.fancy = self._out.isatty() and self._notes.isatty()
        self._column = 0
        self._word = ""
        self._status = ""
        self._fraction: float | None = None
        self._detail = ""

    def status(self, sentence: str, fraction: float | None = None) -> None:
        """Show what is happening until there is text or another status.

        ``fraction`` is how much of it is done, 0 to 1, which the next detail shows.
        """
        sentence = printable(sentence).replace("\n", " ")
        self._fraction = fraction
        if sentence == self._status:
            return
        self._hide()
        self._status, self._detail = sentence, ""
        if self.fancy:
            self._show_status()
        else:
            print(f"· {sentence}", file=self._notes, flush=True)

    def detail(self, words: str) -> None:
        """Show more behind the status, if one is shown, on a terminal: how far, and the words."""
        words = words if self._fraction is None else f"{self._fraction:.0%} · {words}"
        if self._status and self.fancy and words != self._detail:
            self._hide()
            self._detail = words
            self._show_status()

    def _show_status(self) -> None:
        more = f" · {self._detail}" if self._detail else ""
        shown = _fit(f"· {self._status}{more}", self._width())
        begin = "\n" if self._column else ""
        self._write(f"{begin}{_ERASE}{_DIM}{shown}{_PLAIN}")

    def clear_status(self) -> None:
        """Show the text only."""
        self._hide()
        self._status = self._detail = ""
        self._fraction = None

    def text(self, piece: str) -> None:
        """Add to the text."""
        self.clear_status()
        piece = printable(piece)
        self._write("".join(map(self._wrapped, piece)) if self.fancy else piece)
        if not self.fancy and piece:
            self._column = 0 if piece.endswith("\n") else 1

    def end_line(self) -> None:
        """Go to the beginning of a line."""
        self.clear_status()
        if self._column:
            self._write(self._new_line("\n"))

    def note(self, sentence: str, *, style: str = _DIM) -> None:
        """Print a line that is not part of the text."""
        self.end_line()
        if self.fancy:
            lines = "".join(map(self._wrapped, printable(sentence)))
            self._write(style + lines + _PLAIN + self._new_line("\n"))
        else:
            print(printable(sentence), file=self._notes, flush=True)

    @property
    def is_terminal(self) -> bool:
        """Whether it is one at which somebody types, too."""
        return self.fancy and sys.stdin.isatty()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Print something else; then the status is shown again."""
        status, fraction = self._status, self._fraction
        yield
        if status and not self._status:
            self.status(status, fraction)

    def error(self, sentence: str) -> None:
        """Print what went wrong."""
        self.note(sentence, style=_RED)

    def said(self, text: str, *, by_user: bool, who: str = "") -> None:
        """Print an earlier message; ``who`` said it, if it was another user."""
        self.end_line()
        if by_user:
            self._write(f"\n{_BOLD}{who}>{_PLAIN} " if self.fancy else f"{who}> ")
            self._column = cell_len(who) + 2
        self.text(text.rstrip("\n"))
        self.end_line()

    def _hide(self) -> None:
        if not self._status or not self.fancy:
            return
        back = f"\x1b[1A\x1b[{self._column + 1}G" if self._column else ""
        self._write(f"{_ERASE}{back}")

    def _wrapped(self, char: str) -> str:
        """What to write for the next character, so that lines break between words."""
        if char == "\n":
            return self._new_line(char)
        width, cells = self._width(), cell_len(char)
        if char == "\t":
            char, cells = " " * _TAB, _TAB
        if char.isspace():
            self._word = ""
            if self._column + cells > width:
                return self._new_line("\n")
            self._column += cells
            return char
        moved = ""
        if self._column + cells > width:
            begin, word = self._column - cell_len(self._word), self._word
            if begin > 0:
                moved = f"\x1b[{begin + 1}G\x1b[K\n{word}"
                self._column = cell_len(word)
            else:  # a word longer than a line
                moved = self._new_line("\n")
        self._word += char
        self._column += cells
        return moved + char

    def _new_line(self, char: str) -> str:
        self._column, self._word = 0, ""
        return char

    def _width(self) -> int:
        """The columns to use: without the last one the cursor is always where it seems."""
        return max(20, shutil.get_terminal_size().columns) - 1

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _fit(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    while cell_len(text) >= width:
        text = text[:-1]
    return text + "…"
