"""What others say in the conversation that is open, and what they are answered."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message
from antiphon.events.v1.event_pb2 import (
    TURN_STATE_CANCELLED,
    TURN_STATE_EXPIRED,
    TURN_STATE_FAILED,
    Event,
    TurnFinished,
)
from antiphon_client import AntiphonError, text_of
from antiphon_server.cli.chat.happenings import OF_SCHEDULES, OF_TURNS, words_of
from antiphon_server.cli.chat.names import SOMEBODY
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.trees import is_of_tree
from antiphon_server.cli.console import in_a_line, shortened

_MOST = 1000
_KINDS = frozenset({"message_posted", "turn_finished"}) | OF_SCHEDULES | OF_TURNS
_QUOTED = 40
_NO_ANSWER = {
    TURN_STATE_CANCELLED: "stopped",
    TURN_STATE_FAILED: "it failed",
    TURN_STATE_EXPIRED: "it took too long",
}


@dataclass(frozen=True, slots=True)
class _Question:
    """What ``who`` asked; the user is ""."""

    who: str
    text: str

    def __str__(self) -> str:
        whose = f"{in_a_line(self.who)}'s" if self.who else "your"
        return f"{whose} “{shortened(self.text, _QUOTED)}”"


@dataclass(frozen=True, slots=True)
class _Said:
    """A message of ``who``, an answer to them, or why there is none; the user is "".

    In the ``ending`` {to} stands for whom there is none.
    """

    turn_id: str
    who: str
    text: str
    by_user: bool = False
    ending: str = ""


@dataclass(frozen=True, slots=True)
class _Happened:
    """What became of a schedule or a hand-off, in words."""

    words: str


class News:
    """Takes a conversation's events in, and keeps what others said until it is shown.

    What belongs to turns of this chat, which are shown as they stream, is left out; so is what
    was shown already. ``names`` gives what an author is called.
    """

    def __init__(self, screen: Screen, names: Callable[[str], Awaitable[str]]) -> None:
        self.told: Callable[[], None] = _nothing
        self._screen = screen
        self._names = names
        self._own: set[str] = set()
        self._trees: set[str] = set()
        self._shown: frozenset[str] = frozenset()
        self._asked: dict[str, _Question] = {}
        self._last = ""
        self._events: asyncio.Queue[Event] = asyncio.Queue(_MOST)
        self._waiting: deque[_Said | _Happened] = deque(maxlen=_MOST)
        self._missed = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def forget(self) -> None:
        """The conversation is left."""
        while not self._events.empty():
            self._events.get_nowait()
        self._own.clear()
        self._asked.clear()
        self._last = ""
        self._waiting.clear()
        self._missed = 0

    def were_shown(self, messages: Sequence[Message], names: Sequence[str]) -> None:
        """These messages of those called so were, when the conversation was opened."""
        self._shown = frozenset(message.message_id for message in messages)
        for message, who in zip(messages, names, strict=True):
            is_question = message.role == MESSAGE_ROLE_USER and bool(message.turn_id)
            if is_question:
                self._remember(message.turn_id, who, text_of(message.parts))
            self._last = message.turn_id if is_question else ""

    def own(self, turn_id: str, question: str = "") -> None:
        """This turn's answer is shown by who waits for it; so was the question now, if given."""
        self._own.add(turn_id)
        if question:
            self._remember(turn_id, "", question)
            self._last = turn_id

    def begin_answer(self, turn_id: str) -> None:
        """One that is waited for is shown next: say what it answers, if that is not above it."""
        question = self._asked.get(turn_id)
        if question and self._last != turn_id:
            self._screen.note(f"\nto {question}:")
        self._last = ""

    def question_of(self, turn_id: str) -> str:
        """Whose question a turn answers, in a few words."""
        return str(self._asked.get(turn_id, "a question"))

    def take(self, event: Event) -> None:
        """Take in one event; what turns asked of others is no news."""
        if event.turn_accepted.parent_turn_id:
            self._trees.add(event.turn_id)
        kind = event.WhichOneof("payload")
        if kind == "turn_finished" and event.turn_id in self._trees:
            self._trees.discard(event.turn_id)
            return
        if kind not in _KINDS or (kind in OF_TURNS and event.turn_id in self._own):
            return
        if kind == "message_posted" and is_of_tree(event.message_posted.message):
            return
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            self._missed += 1

    async def run(self) -> None:
        """Make news of events, until cancelled."""
        while True:
            said = await self._said(await self._events.get())
            if said is not None:
                self._waiting.append(said)
                self.told()

    def show(self) -> None:
        """Show what there is. Call it where nothing else is being written."""
        with self._screen.aside():
            while self._waiting:
                self._show(self._waiting.popleft())
            if self._missed:
                self._screen.note(f"… {self._missed} more were said; /open shows the last ones")
                self._missed = 0

    def _show(self, said: _Said | _Happened) -> None:
        if isinstance(said, _Happened):
            self._screen.note(said.words)
            self._last = ""
            return
        who, is_next = in_a_line(said.who), bool(said.turn_id) and said.turn_id == self._last
        question = None if is_next or said.by_user else self._asked.get(said.turn_id)
        if said.text and not said.by_user and (question or who):
            self._screen.note(f"\nto {question or who}:")
        if said.text:
            self._screen.said(said.text, by_user=said.by_user, who=who)
        if said.ending:
            self._screen.note(said.ending.format(to=question or who or "that"))
        self._last = said.turn_id if said.by_user else ""

    async def _said(self, event: Event) -> _Said | _Happened | None:
        if event.HasField("turn_finished"):
            return self._finished(event.turn_id, event.turn_finished)
        if not event.HasField("message_posted"):
            who = await self._name(event.actor) if event.actor.startswith("users/") else ""
            words = words_of(event, who, self.question_of(event.turn_id))
            return _Happened(words) if words else None
        message = event.message_posted.message
        if event.turn_id in self._own or message.message_id in self._shown:
            return None
        if message.role == MESSAGE_ROLE_USER:
            who = await self._name(message.author)
            text = text_of(message.parts)
            if event.turn_id:
                self._remember(event.turn_id, who, text)
            return _Said(event.turn_id, who, text, by_user=True)
        who, text = self._asker(event.turn_id), text_of(message.parts)
        return _Said(event.turn_id, who, text, ending=_cut(message))

    def _finished(self, turn_id: str, finished: TurnFinished) -> _Said | None:
        if turn_id in self._own:
            self._own.discard(turn_id)
            return None
        why = _NO_ANSWER.get(finished.state)
        if why is None or finished.reply_message_id:
            return None
        return _Said(turn_id, self._asker(turn_id), "", ending=f"no answer to {{to}}: {why}")

    async def _name(self, author: str) -> str:
        """What was said is shown, also while nobody can say by whom."""
        try:
            return await self._names(author)
        except AntiphonError:
            return SOMEBODY

    def _remember(self, turn_id: str, who: str, text: str) -> None:
        self._asked[turn_id] = _Question(who, text[: 2 * _QUOTED])
        if len(self._asked) > _MOST:
            del self._asked[next(iter(self._asked))]

    def _asker(self, turn_id: str) -> str:
        return self._asked[turn_id].who if turn_id in self._asked else SOMEBODY


def _cut(message: Message) -> str:
    return "stopped or broken off here" if message.truncated else ""


def _nothing() -> None:
    """Nobody is told."""
