"""The chat as its user sees it: prompt, answer, commands."""

import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER
from antiphon.events.v1.event_pb2 import TURN_STATE_CANCELLED, TurnState
from antiphon_client import AntiphonError, TurnResult, text_of
from antiphon_server.cli.chat.keys import unseen_keys
from antiphon_server.cli.chat.loop_thread import LoopThread
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.talk import Talk, summary
from antiphon_server.cli.chat.trying_out import for_trying_out
from antiphon_server.cli.console import CommandError, in_a_line, print_json
from antiphon_server.cli.encoding import as_dict
from antiphon_server.cli.explain import explain
from antiphon_server.cli.kinds import name_of

Result = TypeVar("Result")

_SHOWN_MESSAGES = 6
_COUNTED_MESSAGES = 106  # a long conversation is not read to its beginning
_HELP = """/new            begin another conversation
/conversations  list conversations
/open ID        go on with one of them
/model NAME     ask another model (without NAME: the server's choice)
/models         list models
/quit           leave; so does Ctrl-D at the prompt
Ctrl-C          stop the answer under way"""


class Dialogue:
    """Reads what the user says, in the main thread, and shows what comes back."""

    def __init__(self, loop: LoopThread, talk: Talk, screen: Screen) -> None:
        self._loop = loop
        self._talk = talk
        self._screen = screen
        self._began = 0.0
        self._commands: dict[str, Callable[[str], None]] = {
            "/help": lambda _: self._screen.note(_HELP),
            "/new": self._new,
            "/conversations": self._list_conversations,
            "/open": self._open,
            "/model": self._choose_model,
            "/models": self._list_models,
            "/stop": lambda _: self._screen.note("Nothing is being said; Ctrl-C stops an answer."),
        }

    def once(self, text: str, conversation_id: str, json: bool) -> int:
        """Ask one question, in a conversation if one is named; return the exit code."""
        if conversation_id:
            self._loop.call(self._talk.resume(conversation_id, 1))
        result = self._ask(text)
        if result is None:
            return 130
        if json:
            print_json(self._as_json(result))
        if result.error is not None:
            self._screen.error(f"antiphon: {explain(result.error)}")
        elif result.state == TURN_STATE_CANCELLED:
            return 130
        return 0 if result.succeeded else 1

    def run(self, conversation_id: str) -> int:
        """Talk until the user leaves; return the exit code. Begin where one left, if named."""
        if sys.stdin.isatty():
            import readline  # gives input() its line editing

            # Several lines that are pasted are one question; readline asks for the marks
            # at each prompt, and asks for none when it leaves it.
            readline.parse_and_bind("set enable-bracketed-paste on")
            self._screen.note("Say something. /help lists commands, Ctrl-D leaves.")
            hint = self._loop.call(for_trying_out(self._talk.client, self._talk.wishes))
            if hint:
                self._screen.note(hint)
        for notice in self._loop.call(self._talk.notices()):
            self._screen.note(f"Notice: {in_a_line(notice)}")
        if conversation_id:
            self._open(conversation_id)
        interrupted = False
        while True:
            try:
                text = self._read()
                interrupted = False
                if text in ("/quit", "/exit"):
                    break
                self._obey(text)
            except EOFError:
                self._screen.end_line()
                break
            except KeyboardInterrupt:
                self._screen.end_line()
                if interrupted:
                    break
                interrupted = True
                self._screen.note("\nCtrl-C again, or Ctrl-D, leaves.")
        if self._talk.conversation_id and self._screen.fancy:
            again = f"antiphon chat --conversation {self._talk.conversation_id}"
            self._screen.note(f"Go on later with: {again}")
        return 0

    def _open(self, conversation_id: str) -> None:
        """Go on with a conversation: show its last messages, and what is being said."""
        if not conversation_id:
            self._screen.note("Which one? Write /open ID; /conversations lists them.")
            return
        messages = self._loop.call(self._talk.resume(conversation_id, _COUNTED_MESSAGES))
        self._say_what_is_left_out(len(messages) - _SHOWN_MESSAGES)
        shown = messages[-_SHOWN_MESSAGES:]
        others = self._loop.call(self._talk.others(shown)) if shown else {}
        for message in shown:
            by_user = message.role == MESSAGE_ROLE_USER
            who = others.get(message.author, "")
            self._screen.said(text_of(message.parts), by_user=by_user, who=in_a_line(who))
            if message.truncated:
                self._screen.note("stopped or broken off here")
        self._report(self._wait(self._talk.join()))

    def _say_what_is_left_out(self, count: int) -> None:
        if count > 0:
            more = " or more" if count == _COUNTED_MESSAGES - _SHOWN_MESSAGES else ""
            self._screen.note(f"… {count}{more} earlier message{'s' if count > 1 else ''}")

    def _read(self) -> str:
        if not sys.stdin.isatty():
            return input().strip()
        return input("\n\001\x1b[1m\002>\001\x1b[0m\002 " if self._screen.fancy else "> ").strip()

    def _obey(self, text: str) -> None:
        name, _, argument = text.partition(" ")
        command = self._commands.get(name)
        try:
            if command is not None:
                command(argument.strip())
            elif name.startswith("/") and name[1:].isalpha():
                self._screen.note(f"There is no command {name}; /help lists those there are.")
            elif text:
                self._report(self._ask(text))
        except AntiphonError as error:
            self._screen.error(explain(error))
        except CommandError as error:
            self._screen.error(str(error))

    def _ask(self, text: str) -> TurnResult | None:
        return self._wait(self._talk.ask(text))

    def _wait(self, asking: Coroutine[Any, Any, Result]) -> Result | None:
        """Wait for an answer. Ctrl-C stops it; once more, and it is not waited for.

        Without a connection the first one leaves off: its stop is sent when there is one again.
        """
        with unseen_keys():
            return self._wait_stoppable(asking)

    def _wait_stoppable(self, asking: Coroutine[Any, Any, Result]) -> Result | None:
        self._began = time.monotonic()
        answer = self._loop.start(asking)
        stopping: Future[None] | None = None
        while True:
            try:
                return answer.result()
            except KeyboardInterrupt:
                again = stopping is not None
                stopping = stopping or self._loop.start(self._talk.stop())
                if again or self._talk.away:
                    answer.cancel()
                    self._screen.note("Not waiting for the end of it.")
                    return None

    def _report(self, result: TurnResult | None) -> None:
        if result is None:
            return
        if result.error is not None:
            self._screen.error(explain(result.error))
        self._screen.note(summary(result, time.monotonic() - self._began))

    def _new(self, _: str) -> None:
        self._loop.call(self._talk.leave())
        self._screen.note("A new conversation.")

    def _choose_model(self, name: str) -> None:
        if name:
            self._loop.call(self._talk.check_model(name))
        self._talk.wishes.model = name
        self._screen.note(f"Asking {name or 'the default model'} from now on.")

    def _list_models(self, _: str) -> None:
        for model in self._loop.call(self._models()):
            self._screen.note(model)

    async def _models(self) -> list[str]:
        return [model.name async for model in self._talk.client.list_models()]

    def _list_conversations(self, _: str) -> None:
        for line in self._loop.call(self._conversations()):
            self._screen.note(line)

    async def _conversations(self) -> list[str]:
        lines: list[str] = []
        async for found in self._talk.client.list_conversations():
            lines.append(f"{found.conversation_id}  {in_a_line(found.title) or '(no title)'}")
            if len(lines) == 20:
                break
        return lines

    def _as_json(self, result: TurnResult) -> dict[str, object]:
        return {
            "conversation_id": self._talk.conversation_id,
            "turn_id": result.turn_id,
            "state": name_of(TurnState, "TURN_STATE_", result.state),
            "text": result.text,
            "model": result.model,
            "usage": as_dict(result.usage, zeros=True),
            "omitted_messages": result.omitted_messages,
            "error": result.error.reason if result.error else "",
        }
