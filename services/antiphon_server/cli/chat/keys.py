"""The keyboard while an answer streams in."""

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

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    now = termios.tcgetattr(keyboard)
    now[3] &= ~(termios.ECHO | termios.ECHOCTL)
    now[3] |= termios.NOFLSH
    termios.tcsetattr(keyboard, termios.TCSANOW, now)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
