"""What a chat's user types: line by line, from a pipe or a file."""

import sys
from concurrent.futures import Future
from typing import Protocol, TypeVar

from antiphon_server.cli.chat.keys import unseen_keys
from antiphon_server.cli.chat.news import News

Result = TypeVar("Result")
_QUOTES = '"""'


class Keyboard(Protocol):
    """Where messages and commands come from, in the main thread."""

    def read(self) -> str:
        """The next one, of one line or several. Raises EOFError, and KeyboardInterrupt."""
        ...

    def wait(self, answer: "Future[Result]") -> Result:
        """Wait; what is typed meanwhile is read next. Raises KeyboardInterrupt at Ctrl-C."""
        ...

    def told(self) -> None:
        """There is news: show it above the prompt, if that is waited at. Any thread may call."""
        ...


class Lines:
    """The keyboard of who has no terminal for both input and output."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._prompt = "> " if sys.stdin.isatty() else ""

    def read(self) -> str:
        """See :meth:`Keyboard.read`; the end of the input ends a quoted message, too."""
        text = input(self._prompt).strip()
        try:
            while is_open(text):
                text += "\n" + input()
        except EOFError:
            text += _QUOTES
        return unquoted(text)

    def wait(self, answer: "Future[Result]") -> Result:
        """See :meth:`Keyboard.wait`."""
        with unseen_keys():
            return answer.result()

    def told(self) -> None:
        """See :meth:`Keyboard.told`."""
        self._news.show()


def is_open(text: str) -> bool:
    '''Whether it begins with """ and has not ended with it: more lines belong to it.'''
    text = text.strip()
    return text.startswith(_QUOTES) and not (
        len(text) >= 2 * len(_QUOTES) and text.endswith(_QUOTES)
    )


def unquoted(text: str) -> str:
    """The message, without the quotes around several lines and blanks at its ends."""
    text = text.strip()
    if text.startswith(_QUOTES):
        text = text.removeprefix(_QUOTES).removesuffix(_QUOTES)
    return text.strip()
