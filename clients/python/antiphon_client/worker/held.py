"""The turns that a worker has."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeAlias

from antiphon.dispatcher.v1.worker_pb2 import (
    Accept,
    Ack,
    Answer,
    Assign,
    Cancel,
    Decline,
    HeldTurn,
    Rejected,
    Revoke,
    RevokeReason,
    Welcome,
)
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest
from antiphon_client.status import error_of_status
from antiphon_client.worker.clock import now
from antiphon_client.worker.outgoing import Outgoing
from antiphon_client.worker.terms import Terms, terms_of
from antiphon_client.worker.turns import FAILED, Turn

LOG = logging.getLogger("antiphon_client.worker")
Begin: TypeAlias = Callable[[Turn], Coroutine[Any, Any, None]]
_LONGEST_LOOK_S = 1.0
_LETTING_GO_S = 10.0


class Held:
    """Takes what a server says of turns, over all streams; owns the tasks of their handlers.

    ``begin`` works on a turn, and at the end says so to it. There are at most ``slots``.
    """

    def __init__(self, outgoing: Outgoing, handlers: Iterable[str], begin: Begin) -> None:
        self.slots = 1
        self.is_draining = False
        self.terms = Terms()
        self.changed = asyncio.Event()
        """Set when a turn has gone."""
        self._outgoing = outgoing
        self._handlers = frozenset(handlers)
        self._begin = begin
        self._turns: dict[str, Turn] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._turns)

    def hello(self) -> list[HeldTurn]:
        """What a stream begins with."""
        self._stop_lapsed()
        for turn in self._turns.values():
            turn.detach()
        return [turn.held() for turn in self._turns.values()]

    def attached(self) -> list[str]:
        """The turns that the server knows on this stream."""
        return [turn.turn_id for turn in self._turns.values() if turn.is_attached]

    def welcomed(self, welcome: Welcome) -> None:
        """A stream has begun."""
        self.terms = terms_of(welcome)

    def assigned(self, assign: Assign) -> None:
        """Begin a turn, or go on with it; what can't be begun is given back."""
        turn = self._turns.get(assign.turn_id)
        if turn is not None and assign.held:
            turn.adopt(assign, self.terms)
        else:
            if turn is not None:  # an attempt of it that is over
                self._drop(turn)
            if why := self._refusal(assign):
                self._decline(assign.turn_id, assign.fence, why)
                return
            self._start(assign)
        accept = Accept(turn_id=assign.turn_id, fence=assign.fence)
        self._outgoing.say(WorkRequest(accept=accept))

    def acked(self, ack: Ack) -> None:
        """What a turn has said is stored, or its end."""
        turn = self._current(ack.turn_id, ack.fence)
        if turn is not None:
            turn.outbox.stored(ack.sequence)
            if ack.finished:
                self._drop(turn)

    def answered(self, answer: Answer) -> None:
        """An ask of a turn is answered."""
        if (turn := self._current(answer.turn_id, answer.fence)) is not None:
            turn.answered(answer)

    def cancelled(self, cancel: Cancel) -> None:
        """Somebody stopped a turn."""
        if (turn := self._current(cancel.turn_id, cancel.fence)) is not None:
            self._drop(turn)

    def revoked(self, revoke: Revoke) -> None:
        """A turn is taken away."""
        turn = self._turns.get(revoke.turn_id)
        if turn is not None and revoke.fence in (0, turn.fence):
            LOG.info("%s is taken away: %s", turn.turn_id, RevokeReason.Name(revoke.reason))
            self._drop(turn)

    def rejected(self, rejected: Rejected) -> None:
        """A frame was not taken: that is logged, and ends the turn that it was about."""
        error = error_of_status(rejected.error)
        LOG.warning("the server did not take a frame of %s: %s", rejected.turn_id or "ours", error)
        turn = self._turns.get(rejected.turn_id)
        if turn is None or not turn.is_attached:
            return
        if error.reason == "TURN_NOT_HELD":
            self._drop(turn)
        else:
            turn.spoil(rejected.sequence, FAILED)

    def renewed(self, turn_ids: Iterable[str], since: float) -> None:
        """A beat has named turns; it answers a heartbeat of that time, by :func:`now`."""
        for turn_id in turn_ids:
            if turn_id in self._turns:
                self._turns[turn_id].renew(since)

    async def watch(self) -> None:
        """Let go of turns whose leases are over, for ever."""
        while True:
            self._stop_lapsed()
            left = min((it.lapses_at for it in self._turns.values()), default=now() + 1) - now()
            await asyncio.sleep(max(0.0, min(left, self.terms.kept_s / 4, _LONGEST_LOOK_S)))

    def give_back(self, why: str) -> None:
        """Decline all, and stop their handlers."""
        for turn in list(self._turns.values()):
            self._decline(turn.turn_id, turn.fence, why)
            self._drop(turn)

    async def close(self) -> None:
        """Stop all handlers, and wait until they have let go of what they use."""
        for turn in list(self._turns.values()):
            self._drop(turn)
        while self._tasks:
            _, left = await asyncio.wait(set(self._tasks), timeout=_LETTING_GO_S)
            for task in left:
                LOG.warning("%s was stopped, and does not let go of what it uses", task.get_name())

    def _refusal(self, assign: Assign) -> str:
        """Why a turn can't be begun."""
        if assign.held:
            return "this worker has let go of it"
        if self.is_draining:
            return "this worker is about to stop"
        if assign.handler not in self._handlers:
            return "this worker does not serve that handler"
        # Handlers that were stopped may still be letting go; others don't wait for them for ever.
        too_many = len(self._turns) >= self.slots or len(self._tasks) >= 2 * self.slots
        return "all slots of this worker are taken" if too_many else ""

    def _start(self, assign: Assign) -> None:
        turn = Turn(assign, self.terms, self._outgoing.mark)
        self._turns[turn.turn_id] = turn
        turn.task = asyncio.create_task(self._begin(turn), name=f"antiphon {turn.turn_id}")
        self._tasks.add(turn.task)
        turn.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (defect := task.exception()) is not None:
            LOG.error("working on a turn failed", exc_info=defect)

    def _current(self, turn_id: str, fence: int) -> Turn | None:
        """The turn, if that is said of its present attempt."""
        turn = self._turns.get(turn_id)
        return turn if turn is not None and turn.fence == fence else None

    def _decline(self, turn_id: str, fence: int, why: str) -> None:
        decline = Decline(turn_id=turn_id, fence=fence, reason=why)
        self._outgoing.say(WorkRequest(decline=decline))

    def _drop(self, turn: Turn) -> None:
        self._turns.pop(turn.turn_id, None)
        turn.close()
        self.changed.set()

    def _stop_lapsed(self) -> None:
        for turn in list(self._turns.values()):
            if now() >= turn.lapses_at:
                LOG.warning("%s is let go of: the server has not renewed its lease", turn.turn_id)
                self._drop(turn)
