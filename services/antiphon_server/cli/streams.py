"""The standard streams, where whoever started the program left some out."""

import os
import sys
from typing import Literal, TextIO


def open_closed_streams() -> None:
    """Let closed ones lead nowhere: else the next file that is opened would be stderr."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdin = sys.stdin or _stream(0, "r")
    sys.stdout = sys.stdout or _stream(1, "w")
    sys.stderr = sys.stderr or _stream(2, "w")


def let_go_of_broken_streams() -> None:
    """Drop what nobody reads any more, for which Python would end with a code of its own, 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if not stream.closed:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _stream(number: int, mode: Literal["r", "w"]) -> TextIO:
    return open(number, mode, encoding="utf-8", closefd=False)
