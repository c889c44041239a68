"""The chat as its user sees it: prompt, answer, commands."""

import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from antiphon.events.v1.event_pb2 import TURN_STATE_CANCELLED, TurnState
from antiphon_client import AntiphonError, TurnResult
from antiphon_server.cli.chat.commands import Commands
from antiphon_server.cli.chat.keyboard import Keyboard, Lines
from antiphon_server.cli.chat.left_waiting import STOPPED, WAITS, LeftWaiting
from antiphon_server.cli.chat.loop_thread import LoopThread
from antiphon_server.cli.chat.questions import read_answer
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.summary import by_another, summary
from antiphon_server.cli.chat.talk import Handed, Paused, Talk, Unanswered, Undecided
from antiphon_server.cli.chat.tool_calls import show_waiting
from antiphon_server.cli.chat.trying_out import for_trying_out
from antiphon_server.cli.console import CommandError, as_typed, in_a_line, print_json
from antiphon_server.cli.encoding import as_dict
from antiphon_server.cli.explain import explain
from antiphon_server.cli.kinds import name_of

Result = TypeVar("Result")
_UNDECIDED = (
    "That decides nothing: the call waits. y has it made, n does not; anything else that is no "
    "command and no question does not either, and the model is told it."
)


class Dialogue:
    """Reads what the user says, in the main thread, and shows what comes back.

    ``typed`` is what they pressed at their terminal before. Without a terminal it ends where an
    answer waits for a person, unless it is to be ``patient``: others decide then.
    """

    def __init__(
        self,
        loop: LoopThread,
        talk: Talk,
        screen: Screen,
        typed: bytes = b"",
        *,
        patient: bool = False,
    ) -> None:
        self._typed = typed
        self._patient = patient
        self._once = False
        self._loop = loop
        self._talk = talk
        self._screen = screen
        self._began = 0.0
        self._commands = Commands(loop, talk, screen, self._join, self._ask_and_report)
        self._keyboard: Keyboard = Lines(talk.news)

    def once(self, text: str, conversation_id: str, json: bool) -> int:
        """Ask one question, in a conversation if one is named; return the exit code.

        Raises LeftWaiting.
        """
        self._once = True
        if conversation_id:
            self._loop.call(self._talk.resume(conversation_id))
        result = self._ask(text)
        if result is None:
            return 130
        faults = self._loop.call(self._talk.faults(result))
        if json:
            print_json(self._as_json(result, faults))
        if result.error is not None:
            self._screen.error(f"antiphon: {as_typed(explain(result.error))}")
            self._tell(faults)
        elif result.state == TURN_STATE_CANCELLED:
            return 130
        elif result.skipped_models:
            self._screen.note(by_another(result))
        return 0 if result.succeeded else 1

    def run(self, conversation_id: str) -> int:
        """Talk until the user leaves; return the exit code. Begin where one left, if named.

        Raises LeftWaiting.
        """
        self._sit_at_terminal()
        self._talk.news.told = self._news_came
        for notice in self._loop.call(self._talk.notices()):
            self._screen.note(f"Notice: {in_a_line(notice)}")
        if conversation_id:
            self._commands.resume(conversation_id)
        self._read_all()
        if self._talk.conversation_id and self._screen.fancy:
            again = f"antiphon chat --conversation {self._talk.conversation_id}"
            self._screen.note(f"Go on later with: {again}")
        return 0

    def _sit_at_terminal(self) -> None:
        """Edit lines, if there is a terminal to edit them at."""
        if not self._screen.is_terminal:
            return
        from antiphon_server.cli.chat.line_editor import LineEditor

        commands = self._commands
        self._keyboard = LineEditor(self._talk.news, commands.names, commands.choices, self._typed)
        self._screen.note("Say something. /help lists commands, Ctrl-D leaves.")
        if hint := self._loop.call(for_trying_out(self._talk.client, self._talk.wishes)):
            self._screen.note(hint)

    def _read_all(self) -> None:
        """Do what is typed until the user leaves."""
        interrupted = False
        while True:
            try:
                text = self._keyboard.read()
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

    def _obey(self, text: str) -> None:
        try:
            if text and not self._commands.run(text):
                self._ask_and_report(text)
        except AntiphonError as error:
            self._screen.error(explain(error))
        except CommandError as error:
            self._screen.error(str(error))

    def _ask_and_report(self, text: str) -> None:
        self._report(self._ask(text))

    def _join(self) -> None:
        self._report(self._answer(self._talk.join()))

    def _news_came(self) -> None:
        """While an answer streams in, its lines go first; at the prompt the keyboard knows how."""
        if self._talk.waits:
            self._talk.show_news()
        else:
            self._keyboard.told()

    def _ask(self, text: str) -> TurnResult | None:
        return self._answer(self._talk.ask(text))

    def _answer(self, asking: Coroutine[Any, Any, TurnResult | Paused | None]) -> TurnResult | None:
        """Wait for the answer, and ask about the calls of tools that wait for somebody.

        What the server refuses of an answer to a question is said, and it is asked again.
        """
        self._talk.decides = self._screen.is_terminal or not self._patient
        found = self._wait(asking)
        while isinstance(found, Paused):
            if not self._screen.is_terminal or isinstance(found, Handed):
                raise LeftWaiting(self._talk.conversation_id, found)
            try:
                found = self._wait(self._settled(found))
            except AntiphonError as error:
                if error.reason != "INVALID_ARGUMENT":
                    raise
                self._screen.error(explain(error))
        return found

    def _settled(self, what: Undecided | Unanswered) -> Coroutine[Any, Any, TurnResult | Paused]:
        """Ask the user about what waits; what becomes of that."""
        if isinstance(what, Undecided):
            approve, reason = self._decision(what)
            return self._talk.decide(what, approve=approve, reason=reason)
        said = read_answer(self._screen, self._keyboard, what.call, what.asked)
        return self._talk.answer(what, said)

    def _decision(self, what: Undecided) -> tuple[bool, str]:
        """What the user says to a call: whether it may be made, and if not, why."""
        show_waiting(self._screen, what.call)
        self._screen.note("Allow it? y: yes, n: no, or what the model shall be told instead")
        while True:
            try:
                said = self._keyboard.read().strip()
            except (EOFError, KeyboardInterrupt) as left:
                if not self._once:
                    return False, ""
                code = STOPPED if isinstance(left, KeyboardInterrupt) else WAITS
                raise LeftWaiting(self._talk.conversation_id, what, code) from None
            if said.lower() in ("y", "yes"):
                return True, ""
            if said.startswith("/") or said.endswith("?"):
                self._screen.note(_UNDECIDED)
            elif said:
                return False, "" if said.lower() in ("n", "no") else said

    def _wait(self, asking: Coroutine[Any, Any, Result]) -> Result | None:
        """Wait for an answer. Ctrl-C stops it; once more, and it is not waited for.

        Without a connection the first one leaves off: its stop is sent when there is one again.
        """
        self._began = time.monotonic()
        answer = self._loop.start(asking)
        stopping: Future[None] | None = None
        while True:
            try:
                return self._keyboard.wait(answer)
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
            self._screen.error(as_typed(explain(result.error)))
            self._tell(self._loop.call(self._talk.faults(result)))
        self._screen.note(summary(result, time.monotonic() - self._began))

    def _tell(self, faults: Sequence[str]) -> None:
        for fault in faults:
            self._screen.note(f"  {fault}")

    def _as_json(self, result: TurnResult, faults: Sequence[str]) -> dict[str, object]:
        return {
            "conversation_id": self._talk.conversation_id,
            "turn_id": result.turn_id,
            "state": name_of(TurnState, "TURN_STATE_", result.state),
            "text": result.text,
            "model": result.model,
            "route": as_dict(result.route) if result.route else {},
            "skipped_models": [as_dict(it) for it in result.skipped_models],
            "usage": as_dict(result.usage, zeros=True),
            "omitted_messages": result.omitted_messages,
            "error": result.error.reason if result.error else "",
            "explanation": explain(result.error) if result.error else "",
            "faults": list(faults),
        }
