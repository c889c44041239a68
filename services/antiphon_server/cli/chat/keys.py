"""The keyboard while nobody reads from it."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unseen_keys() -> Iterator[None]:
    """Don't show what is typed meanwhile: it would stand in the text. The next prompt has it.

    Also after Ctrl-C, with which a terminal would throw it away.
    """
    if not sys.stdin.isatty():
        yield
        return
    import termios

    with _changed(termios.ECHO | termios.ECHOCTL):
        yield


@contextmanager
def unread_keys() -> Iterator[bytes]:
    """Keep what is typed as it is, and don't show it: a line editor reads it later.

    A terminal that edits lines itself takes Enter for a new line, and keeps 4096 bytes. What was
    typed so before, while the program began, is given with Enter where it was pressed.
    """
    import termios

    with _changed(termios.ECHO | termios.ECHOCTL | termios.ICANON, termios.ICRNL):
        yield _typed_before().replace(b"\n", b"\r")


def _typed_before() -> bytes:
    keyboard, typed = sys.stdin.fileno(), b""
    while select.select([keyboard], [], [], 0)[0] and (piece := os.read(keyboard, 4096)):
        typed += piece
    return typed


@contextmanager
def _changed(local_flags: int, input_flags: int = 0) -> Iterator[None]:
    """Without some of the terminal's flags."""
    import termios

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    now = termios.tcgetattr(keyboard)
    now[0] &= ~input_flags
    now[3] &= ~local_flags
    now[3] |= termios.NOFLSH
    termios.tcsetattr(keyboard, termios.TCSANOW, now)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
