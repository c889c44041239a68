"""The keyboard while nobody reads from it."""

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
def unread_keys() -> Iterator[None]:
    """Keep what is typed as it is, and don't show it: a line editor reads it later.

    A terminal that edits lines itself would take Enter for a new line, and keep 4096 bytes.
    """
    import termios

    with _changed(termios.ECHO | termios.ECHOCTL | termios.ICANON, termios.ICRNL):
        yield


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
