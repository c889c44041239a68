"""Parts of a server that lose, double or forget what workers say: the rig has to notice each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from antiphon_server.dispatcher.handling import TurnId, Work
from antiphon_server.events.model import Append, Appended
from antiphon_server.runtime.errors import DomainError
from antiphon_server.workers.asking import Asking
from antiphon_server.workers.assignment import Assignment
from antiphon_server.workers.delegation import Delegation
from antiphon_server.workers.frames import (
    Ack,
    Answered,
    AskedQuestion,
    AskedTurns,
    Output,
    TurnsEnded,
)
from antiphon_server.workers.session import Inbox, Session
from tests.proofs.workers.store import RecordedLog

Plant = Callable[[pytest.MonkeyPatch], None]


def _no_fence(patch: pytest.MonkeyPatch) -> None:
    """The log takes what comes of attempts that later ones have replaced."""
    append = RecordedLog.append

    async def unfenced(self: RecordedLog, batch: Sequence[Append]) -> list[Appended | DomainError]:
        return await append(self, [replace(it, fence=None) for it in batch if it.events])

    patch.setattr(RecordedLog, "append", unfenced)


def _early_ack(patch: pytest.MonkeyPatch) -> None:
    """An output is acknowledged when it has come, not when it is stored."""
    check = Assignment._check

    def acked(self: Assignment, said: Output) -> None:
        check(self, said)
        self.tell(Ack(self._turn_id, self.fence, said.number))

    patch.setattr(Assignment, "_check", acked)


def _no_numbers(patch: pytest.MonkeyPatch) -> None:
    """What is said again is taken again."""
    hear = Assignment.hear

    def anew(self: Assignment, session: Any, fence: int, said: Any, wire: object) -> None:
        number = getattr(said, "number", 0)
        if 0 < number <= self._seen:
            self._seen = number - 1
        hear(self, session, fence, said, wire)

    patch.setattr(Assignment, "hear", anew)


def _no_hold(patch: pytest.MonkeyPatch) -> None:
    """A worker that comes back is taken to have what it had, and nobody else gets it."""

    async def claim(self: Session, turn_id: TurnId, inbox: Inbox) -> bool:
        self.turns[turn_id] = inbox
        return True

    patch.setattr(Session, "claim", claim)
    patch.setattr(Session, "holds", lambda self, turn_id: True)
    patch.setattr(Assignment, "_is_early", lambda *_: True)


def _no_slots(patch: pytest.MonkeyPatch) -> None:
    """A worker has room for one more whatever it has."""
    patch.setattr(Session, "free", property(lambda self: 1))


def _no_look(patch: pytest.MonkeyPatch) -> None:
    """Nobody notices that a worker is lost."""
    patch.setattr(Assignment, "look", lambda self, now: None)


def _hasty(patch: pytest.MonkeyPatch) -> None:
    """A worker whose stream is cut is taken to be lost."""
    dropped = Assignment.dropped

    def lost(self: Assignment, session: Any, now: float) -> None:
        dropped(self, session, now - 3600.0)

    patch.setattr(Assignment, "dropped", lost)


def _begins_twice(patch: pytest.MonkeyPatch) -> None:
    """A worker that comes back without a turn gets it again, though it had begun that attempt."""
    come_without = Assignment.come_without

    def anew(self: Assignment, session: Any) -> None:
        self._accepted = False
        come_without(self, session)

    patch.setattr(Assignment, "come_without", anew)


def _asks_anew(patch: pytest.MonkeyPatch) -> None:
    """A later attempt asks people anew."""
    question = Asking.question

    async def anew(self: Asking, work: Work, asked: AskedQuestion) -> Answered:
        other = replace(asked, number=asked.number + 100 * work.turn.attempt)
        return replace(await question(self, work, other), number=asked.number)

    patch.setattr(Asking, "question", anew)


def _children_anew(patch: pytest.MonkeyPatch) -> None:
    """A later attempt has others work anew."""
    turns = Delegation.turns

    async def anew(self: Delegation, work: Work, asked: AskedTurns) -> TurnsEnded:
        other = replace(asked, number=asked.number + 100 * work.turn.attempt)
        return replace(await turns(self, work, other), number=asked.number)

    patch.setattr(Delegation, "turns", anew)


DEFECTS: Mapping[str, Plant] = {
    "no-fence": _no_fence,
    "early-ack": _early_ack,
    "no-numbers": _no_numbers,
    "no-hold": _no_hold,
    "no-slots": _no_slots,
    "no-look": _no_look,
    "hasty": _hasty,
    "begins-twice": _begins_twice,
    "asks-anew": _asks_anew,
    "children-anew": _children_anew,
}
