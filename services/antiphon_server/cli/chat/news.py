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
from antiphon_server.cli.chat.names import SOMEBODY
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.console import in_a_line

_MOST = 1000
_NO_ANSWER = {
    TURN_STATE_CANCELLED: "stopped",
    TURN_STATE_FAILED: "it failed",
    TURN_STATE_EXPIRED: "it took too long",
}


@dataclass(frozen=True, slots=True)
class _Said:
    """A message of ``who``, an answer to them, or why there is none; the user is ""."""

    who: str
    text: str
    by_user: bool = False
    ending: str = ""


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
        self._shown: frozenset[str] = frozenset()
        self._askers: dict[str, str] = {}
        self._events: asyncio.Queue[Event] = asyncio.Queue(_MOST)
        self._waiting: deque[_Said] = deque(maxlen=_MOST)
        self._missed = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def forget(self) -> None:
        """The conversation is left."""
        while not self._events.empty():
            self._events.get_nowait()
        self._own.clear()
        self._askers.clear()
        self._waiting.clear()
        self._missed = 0

    def were_shown(self, messages: Sequence[Message]) -> None:
        """These messages of the conversation were, when it was opened."""
        self._shown = frozenset(message.message_id for message in messages)

    def own(self, turn_id: str) -> None:
        """This turn's question and answer are shown by who waits for them."""
        self._own.add(turn_id)

    def take(self, event: Event) -> None:
        """Take in one event."""
        if event.WhichOneof("payload") not in ("message_posted", "turn_finished"):
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

    def _show(self, said: _Said) -> None:
        who = in_a_line(said.who)
        if said.text and who and not said.by_user:
            self._screen.note(f"\nto {who}:")
        if said.text:
            self._screen.said(said.text, by_user=said.by_user, who=who)
        if said.ending:
            self._screen.note(said.ending)

    async def _said(self, event: Event) -> _Said | None:
        if event.HasField("turn_finished"):
            return self._finished(event.turn_id, event.turn_finished)
        message = event.message_posted.message
        if event.turn_id in self._own or message.message_id in self._shown:
            return None
        if message.role == MESSAGE_ROLE_USER:
            who = await self._name(message.author)
            if event.turn_id:
                self._askers[event.turn_id] = who
            return _Said(who, text_of(message.parts), by_user=True)
        return _Said(self._asker(event), text_of(message.parts), ending=_cut(message))

    def _finished(self, turn_id: str, finished: TurnFinished) -> _Said | None:
        who = self._askers.pop(turn_id, SOMEBODY)
        if turn_id in self._own:
            self._own.discard(turn_id)
            return None
        why = _NO_ANSWER.get(finished.state)
        if why is None or finished.reply_message_id:
            return None
        return _Said(who, "", ending=f"no answer to {who or 'that'}: {why}")

    async def _name(self, author: str) -> str:
        """What was said is shown, also while nobody can say by whom."""
        try:
            return await self._names(author)
        except AntiphonError:
            return SOMEBODY

    def _asker(self, event: Event) -> str:
        return self._askers.get(event.turn_id, SOMEBODY)


def _cut(message: Message) -> str:
    return "stopped or broken off here" if message.truncated else ""


def _nothing() -> None:
    """Nobody is told."""
