"""What a chat's user types at a terminal: lines that can be edited, pasted and completed."""

import os
import select
import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import CompleteStyle

from antiphon_server.cli.chat.keyboard import is_open, unquoted
from antiphon_server.cli.chat.news import News

Result = TypeVar("Result")


class LineEditor:
    """The :class:`~antiphon_server.cli.chat.keyboard.Keyboard` of a terminal.

    Enter sends; Alt+Enter and Ctrl-J begin another line, and so does Enter behind three quotes
    until three others. ``choices`` are what may stand behind a command: Tab completes both.
    ``typed`` was pressed before, and is read first.
    """

    def __init__(
        self,
        news: News,
        commands: Sequence[str],
        choices: Callable[[str], Sequence[str]],
        typed: bytes = b"",
    ) -> None:
        self._news = news
        self._input = _Terminal(sys.stdin)
        store_typeahead(self._input, _pressed(typed))
        # Without the question where the cursor is: slow terminals answer it into the text.
        self._output = Vt100_Output(
            sys.stdout, _size, term=os.environ.get("TERM"), enable_cpr=False
        )
        self._session: PromptSession[str] = PromptSession(
            [("", "\n"), ("bold", "> ")],
            multiline=True,
            prompt_continuation="  ",
            key_bindings=_keys(),
            completer=_Commands(commands, choices),
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            input=self._input,
            output=self._output,
        )

    def read(self) -> str:
        """See :meth:`Keyboard.read`."""
        self._news.show()
        return unquoted(self._session.prompt(pre_run=self._show_above))

    def wait(self, answer: "Future[Result]") -> Result:
        """See :meth:`Keyboard.wait`. The terminal sends keys at once, unseen, and marks pastes."""
        ended, ends = socket.socketpair()
        with ended, ends, self._input.raw_mode():
            answer.add_done_callback(lambda _: _wake(ends))
            self._output.enable_bracketed_paste()
            self._output.flush()
            try:
                while not answer.done():
                    keys = self._input.fileno()
                    if keys in select.select([keys, ended.fileno()], [], [])[0]:
                        self._keep(self._input.read_keys())
            finally:
                self._keep(self._input.flush_keys())
                self._output.disable_bracketed_paste()
                self._output.flush()
        return answer.result()

    def told(self) -> None:
        """See :meth:`Keyboard.told`."""
        loop = self._session.app.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._show_above)

    def _show_above(self) -> None:
        if self._news and self._session.app.is_running:
            run_in_terminal(self._news.show)

    def _keep(self, keys: list[KeyPress]) -> None:
        store_typeahead(self._input, [it for it in keys if it.key is not Keys.ControlC])
        if any(it.key is Keys.ControlC for it in keys):
            raise KeyboardInterrupt


class _Terminal(Vt100Input):
    """One whose modes are as ``unread_keys`` has set them, also while something is printed."""

    def cooked_mode(self) -> AbstractContextManager[None]:
        return nullcontext()


def _pressed(typed: bytes) -> list[KeyPress]:
    """The keys."""
    keys: list[KeyPress] = []
    Vt100Parser(keys.append).feed_and_flush(typed.decode(errors="replace"))
    return keys


def _size() -> Size:
    columns, rows = shutil.get_terminal_size()
    return Size(rows=rows, columns=columns)


def _wake(ends: socket.socket) -> None:
    try:
        ends.send(b".")
    except OSError:  # nobody waits any more
        return


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        if is_open(event.current_buffer.text):
            event.current_buffer.insert_text("\n")
        else:
            event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    @keys.add("c-j")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


class _Commands(Completer):
    """Commands, and behind one that takes something what it may take."""

    def __init__(self, names: Sequence[str], choices: Callable[[str], Sequence[str]]) -> None:
        self._names = names
        self._choices = choices

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        typed = document.text_before_cursor
        if not typed.startswith("/") or "\n" in typed:
            return
        name, blank, begun = typed.partition(" ")
        found, begun = (self._choices(name), begun) if blank else (self._names, name)
        for each in found:
            if each.startswith(begun):
                yield Completion(each, start_position=-len(begun))
