"""The commands of a chat: what a line that begins with / does."""

import shutil
from collections.abc import Callable, Sequence

from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message
from antiphon_client import text_of
from antiphon_server.cli.chat.history import History
from antiphon_server.cli.chat.loop_thread import LoopThread
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.talk import GO_ON, Talk
from antiphon_server.cli.console import CommandError, in_a_line, shortened
from antiphon_server.cli.encoding import local_time

_WHEN = "%Y-%m-%d %H:%M"
_AT_OPENING, _AT_MORE = 6, 20
_LISTED, _SEARCHED = 20, 200
_SHORTEST = 12
_HELP = '''Type a message and press Enter: the answer streams in. Ctrl-C stops it; what
you type meanwhile is sent when it has ended.

Alt+Enter, Ctrl-J  begin another line; what you paste is one message, too
"""                several lines, until you end with """ again
Tab                completes commands, titles, models and handlers

/list              your conversations, numbered; so does /conversations
/open 1            go on with one: its number, part of its title, or its ID
/new               begin another one with your next message
/more              messages from before those that are shown
/stop              stop what is being said here, also if you asked it elsewhere
/continue          have an answer go on that was cut off
/retry             ask the last question again, as after /model NAME
/model NAME ...    ask another model, and the next one where that fails
                   (without NAME: the server's choice)
/models            the models there are
/handler NAME      who shall answer (without NAME: the server's choice)
/handlers          the handlers there are
/quit              leave; so does Ctrl-D, and Ctrl-C twice'''
Command = Callable[[str], None]


class Commands:
    """What they do. ``join`` shows the answer that a conversation is in the middle of, if it is;
    ``ask`` asks a question.
    """

    def __init__(
        self,
        loop: LoopThread,
        talk: Talk,
        screen: Screen,
        join: Callable[[], None],
        ask: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._talk = talk
        self._screen = screen
        self._join = join
        self._ask = ask
        self._listed: list[Conversation] = []
        self._history: History | None = None
        self._commands: dict[str, Command] = {
            "/help": lambda _: screen.note(_HELP),
            "/list": self._list,
            "/conversations": self._list,
            "/open": self.open,
            "/new": self._new,
            "/more": self._more,
            "/continue": self._continue,
            "/retry": self._retry,
            "/model": self._choose_models,
            "/models": lambda _: self._note_all(loop.call(talk.models())),
            "/handler": self._choose_handler,
            "/handlers": lambda _: self._note_all(loop.call(talk.handlers())),
            "/stop": self._stop,
        }

    @property
    def names(self) -> list[str]:
        """All of them."""
        return [*self._commands, "/quit"]

    def run(self, text: str) -> bool:
        """Do what a line says, if it is a command. Raises CommandError, AntiphonError."""
        name, _, argument = text.partition(" ")
        if command := self._commands.get(name):
            command(argument.strip())
        elif name.startswith("/") and name[1:].isalpha():
            self._screen.note(f"There is no command {name}; /help lists those there are.")
        else:
            return False
        return True

    def choices(self, name: str) -> Sequence[str]:
        """What may stand behind a command."""
        match name:
            case "/open":
                found = self._loop.call(self._talk.conversations(_SEARCHED))
                return [in_a_line(it.title) for it in found if it.title]
            case "/model":
                return self._loop.call(self._talk.models())
            case "/handler":
                return self._loop.call(self._talk.handlers())
        return ()

    def open(self, which: str) -> None:
        """Go on with a conversation: show its last messages, and what is being said."""
        if not which:
            self._screen.note("Which one? Write /open NUMBER, TITLE or ID; /list shows them.")
            return
        self.resume(self._found(which))

    def resume(self, conversation_id: str) -> None:
        """Go on with the conversation of that id."""
        self._loop.call(self._talk.resume(conversation_id))
        self._history = History(self._talk.messages())
        self._talk.news.were_shown(*self._show_earlier(_AT_OPENING))
        self._join()

    def _show_earlier(self, count: int) -> tuple[list[Message], list[str]]:
        """Show so many more, and return them with what those are called who wrote them."""
        assert self._history is not None
        messages = self._loop.call(self._history.earlier(count))
        if self._history.rest:
            self._screen.note(self._history.rest)
        names = self._loop.call(self._talk.names(messages))
        for message, who in zip(messages, names, strict=True):
            by_user = message.role == MESSAGE_ROLE_USER
            self._screen.said(
                text_of(message.parts), by_user=by_user, who=in_a_line(who) if by_user else ""
            )
            if message.truncated:
                self._screen.note("stopped or broken off here")
        return messages, names

    def _found(self, which: str) -> str:
        """The id of what a number of the last list, a title or an id means."""
        if which.startswith("conv_"):
            return which
        if which.isdecimal():
            self._listed = self._listed or self._loop.call(self._talk.conversations(_LISTED))
            if not 0 < int(which) <= len(self._listed):
                raise CommandError(f"there is no number {which} in the list; /list shows it")
            return self._listed[int(which) - 1].conversation_id
        found = self._loop.call(self._talk.conversations(_SEARCHED))
        meant = _called(found, which.casefold())
        if not meant:
            raise CommandError(
                f"no conversation is called {which}; /list shows yours with their numbers"
            )
        if len(meant) > 1:
            self._show_list(meant[:_LISTED])
            raise CommandError("which of these? Write /open NUMBER")
        return meant[0].conversation_id

    def _list(self, _: str) -> None:
        self._show_list(self._loop.call(self._talk.conversations(_LISTED)))
        if not self._listed:
            self._screen.note("There are none yet; your first message begins one.")

    def _show_list(self, listed: list[Conversation]) -> None:
        self._listed = listed
        columns = shutil.get_terminal_size().columns
        for number, found in enumerate(listed, 1):
            noted = found.HasField("last_activity_time")  # not by a server before this one
            when = local_time(found.last_activity_time if noted else found.create_time, _WHEN)
            begin = f"{number:>2}  {found.conversation_id}  {when}  "
            title = shortened(found.title, max(_SHORTEST, columns - len(begin)))
            self._screen.note(begin + (title or "(no title)"))

    def _new(self, _: str) -> None:
        self._loop.call(self._talk.leave())
        self._history = None
        self._screen.note("A new conversation.")

    def _more(self, _: str) -> None:
        if self._history is None or not self._history.rest:
            self._screen.note("There are no earlier messages.")
        else:
            self._show_earlier(_AT_MORE)

    def _stop(self, _: str) -> None:
        """While this chat waits for an answer itself, Ctrl-C stops that."""
        stopped = self._loop.call(self._talk.stop_other())
        self._screen.note(
            f"Stopping the answer to {stopped}." if stopped else "Nothing is being said."
        )

    def _continue(self, _: str) -> None:
        if not self._talk.conversation_id:
            self._screen.note("Nothing was asked here yet.")
            return
        self._screen.note(f"Asking: {GO_ON}")
        self._ask(GO_ON)

    def _retry(self, _: str) -> None:
        question = self._talk.question
        if not question:
            self._screen.note("Nothing was asked here yet.")
            return
        self._screen.note(f"Asking again: {in_a_line(question)[:60]}")
        self._ask(question)

    def _choose_models(self, told: str) -> None:
        names = told.split()
        self._loop.call(self._talk.check_models(names))
        self._talk.wishes.models = names
        whom = ", and where that fails ".join(names) or "the default model"
        self._screen.note(f"Asking {whom} from now on.")

    def _choose_handler(self, name: str) -> None:
        if name and name not in self._loop.call(self._talk.handlers()):
            raise CommandError(f"there is no handler {name}; /handlers lists those there are")
        self._talk.wishes.handler = name
        self._screen.note(f"{name or 'The default handler'} answers from now on.")

    def _note_all(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._screen.note(line)


def _called(found: Sequence[Conversation], wanted: str) -> list[Conversation]:
    """Those with that title; else those whose title begins with it; else those that have it."""
    titled = [(it, in_a_line(it.title).casefold()) for it in found]
    same = [it for it, title in titled if title == wanted]
    begun = [it for it, title in titled if title.startswith(wanted)]
    return same or begun or [it for it, title in titled if wanted in title]
