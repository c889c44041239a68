"""A terminal for programs under test: what a person types, and what they see."""

import codecs
import fcntl
import os
import re
import struct
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

from tests.cli.glass import Glass
from tests.e2e.until import PATIENCE_S
from tests.forkserver.program import Program

_COLUMNS = 8000
_REACTION_S = 0.3


class Terminal:
    """Runs ``antiphon`` with a pseudo-terminal as its controlling one; a context manager.

    ``glass`` is what shows its output; ``how`` are options of its :class:`Program`.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        columns: int = _COLUMNS,
        glass: Glass | None = None,
        **how: str,
    ) -> None:
        self._how: Any = how
        self._arguments = arguments
        self._environment = environment
        self._columns = columns
        self._glass = glass or Glass(columns)
        self.output = b""
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, self._columns, 0, 0))
        variables = {**os.environ, "TERM": "xterm", **self._environment, "COLUMNS": ""}
        self.process = Program(
            self._arguments, variables, slave, slave, slave, at_terminal=True, **self._how
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait_for(PATIENCE_S)
        self._reader.join(5)
        os.close(self._master)

    @property
    def ended(self) -> bool:
        """Whether the program has, and all that it wrote was seen."""
        return not self._reader.is_alive()

    @property
    def seen(self) -> str:
        """What stands on the terminal, from its beginning."""
        return "\n".join(self._glass.lines)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def line(self, text: str) -> None:
        """Type a line."""
        self.type(text + "\r")

    def reply(self, question: str, text: str) -> None:
        """Type a line at a question: what is typed before its blank stands there is lost."""
        with self._news:
            if not self._news.wait_for(lambda: self.output.endswith(question.encode()), PATIENCE_S):
                raise AssertionError(f"no {question!r} at the end of:\n{self.seen}")
        self.line(text)

    def interrupt(self) -> None:
        """Press Ctrl-C as a person does: not in the moment in which the prompt appears.

        What CPython's readline is told between the prompt and its first wait for a key,
        it learns with that key.
        """
        time.sleep(_REACTION_S)
        self.type("\x03")

    def wait_for(
        self, pattern: str, timeout: float = PATIENCE_S, after: int = 0
    ) -> "re.Match[str]":
        """Wait until something stands in the output behind ``after`` characters of it."""
        until = time.monotonic() + timeout
        with self._news:
            while (match := re.compile(pattern).search(self.seen, after)) is None:
                left = until - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    raise AssertionError(f"no {pattern!r} in:\n{self.seen[after:]}")
        return match

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Wait for the program's end; return its exit code."""
        return self.process.wait_for(timeout)

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # the program has ended
                piece = b""
            with self._news:
                self.output += piece
                self._glass.feed(decoder.decode(piece))
                self._news.notify_all()
            if not piece:
                return
