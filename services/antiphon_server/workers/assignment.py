"""A turn at a worker, as the server sees it that has the turn: what comes of it, in order."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import assert_never

from antiphon_server.dispatcher.handling import AttemptLost, TurnId, Work
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.workers.call_ids import number_of
from antiphon_server.workers.frames import (
    Accepted,
    Ack,
    Answered,
    AskedCalls,
    AskedQuestion,
    AskedTurns,
    Assign,
    CallBegun,
    CallEnded,
    CallsEnded,
    Declined,
    Finished,
    Output,
    Progressed,
    Revocation,
    Revoke,
    Said,
    Told,
    TurnsEnded,
    WorkerId,
    Written,
)
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.session import AtWorker, Session

ACK_EVERY_S = 0.25
"""A worker that keeps what it said for so much longer loses nothing, and a frame less is written
for each commit."""


MOST_TOLD = 2
"""So often a worker is told to begin in one attempt, if its stream breaks before it answers."""


class NotBegun(AttemptLost):
    """The turn has not come to the worker."""


class Declining(NotBegun):
    """The worker gave the turn back, or did not answer."""


class Assignment:
    """Takes what a worker says of a turn, in its numbers' order, and each number once.

    Nobody waits for a worker here: :meth:`look` is called several times a second, and says when
    it is lost. Times are those of the monotonic clock.
    """

    def __init__(self, work: Work, limits: WorkerLimits) -> None:
        self._turn_id: TurnId = work.turn.turn_id
        self.fence = work.turn.attempt
        self._outputs, self._limits = work.outputs, limits
        self._seen = work.outputs.stored
        self._said: deque[Said] = deque()
        self._unanswered: set[int] = set()
        self._wakeup = asyncio.Event()
        self._failure: Exception | None = None
        self._session: AtWorker | None = None
        self._assigned_at = self._renewed_at = time.monotonic()
        self._dropped_at: float | None = None
        self._accepted = self._missed = self.finished = False
        self._catching_up = True
        """Until the worker has heard of this assign: what comes before that was said without it."""
        self._left = self.given_back = self.was_let_go = False
        self._told = 0
        """How often the worker was told to begin, by streams that stood then."""
        self.untouched = True
        """Whether nothing of it was begun, as far as its worker says."""
        self._claiming: asyncio.Future[None] | None = None
        self._acknowledged = self._seen
        self._acking: asyncio.TimerHandle | None = None
        self._coming: AtWorker | None = None
        """The worker that it is being claimed at, or was last."""
        self.tell_assign: Callable[[bool], None] | None = None
        """Tells a worker that is back to go on with what it holds, or to begin."""
        self.served = work.turn.order.handler, ""
        """The handler, and whose it is."""
        self._begun = {number_of(it.call.call_id) for it in work.past_calls if not it.finished}
        work.outputs.on_stored(self._stored)

    @property
    def worker_id(self) -> WorkerId | None:
        """Who has it."""
        return self._session.worker_id if self._session is not None else None

    def is_of(self, session: AtWorker) -> bool:
        """Whether that worker has it; one of another user's may go by its id while it is away."""
        had = self._session
        return had is not None and (had.worker_id, had.worker.user_id) == (
            session.worker_id,
            session.worker.user_id,
        )

    @property
    def session(self) -> AtWorker | None:
        """The stream of who has it; None before that, and while the stream is lost."""
        return self._session if self._dropped_at is None else None

    @property
    def resumes(self) -> bool:
        """Whether the turn is begun anew if its worker is lost."""
        return self._session is None or self._session.resumes(self.served[0])

    def return_to(self, session: AtWorker) -> None:
        """The worker is back: it holds the turn still, or does not."""
        if session.holds(self._turn_id):
            self.come_back(session)
        else:
            self.come_without(session)

    def come_back(self, session: AtWorker) -> None:
        """The worker is back, and says that it holds the turn still."""
        if self._failure is not None:  # too late: the next attempt has not begun, but will
            session.let_go(self._turn_id)
            session.tell(Revoke(self._turn_id, self.fence, Revocation.LEASE))
            return
        self._begin_claim(session, held=True)

    def _begin_claim(self, session: AtWorker, *, held: bool) -> None:
        self._stop_claiming()  # it has come on another stream since
        self._catching_up = held
        self._coming = session
        if isinstance(session, Session):  # at once: its slot would be given to another turn
            self._claimed(session, session.take_over(self._turn_id, self, anew=not held), held=held)
        else:
            self._claiming = asyncio.ensure_future(self._claim(session, held=held))

    async def _claim(self, session: AtWorker, *, held: bool) -> None:
        claimed = await session.claim(self._turn_id, self, anew=not held)
        self._claimed(session, claimed, held=held)

    def _claimed(self, session: AtWorker, claimed: bool, *, held: bool) -> None:
        if claimed and self._failure is None:
            self.given(session, held=held)
            if self.tell_assign is not None:
                self.tell_assign(held)
        elif not held:
            self._fail(NotBegun(), Revocation.FENCED)

    def given(self, session: AtWorker, *, held: bool = False) -> None:
        """The worker has it from now on, or ``held`` it and has come back."""
        self._session, self._dropped_at, self._catching_up = session, None, held
        self.untouched = self.untouched and not held
        session.turns[self._turn_id] = self
        self._assigned_at = self._renewed_at = time.monotonic()
        self._accepted = self._accepted or held
        if session.closed:
            self._dropped_at = self._assigned_at

    def hear(self, session: AtWorker, fence: int, said: Said, wire: object) -> None:
        """See :meth:`Inbox.hear`."""
        goes_on = self._catching_up
        if self._failure is None and self._is_early(session, fence, said):
            return
        if session is not self.session or fence != self.fence or self._failure is not None:
            raise DomainError(Reason.TURN_NOT_HELD, turn_id=self._turn_id)
        self._note_accepted(session)
        match said:
            case Written() | Progressed() | CallBegun() | CallEnded():
                if said.number <= self._seen:
                    self._acknowledge()  # said again: it may not have heard
                    return
                self._check_open()
                self._check(said)
                self._seen = said.number
                self.untouched = False
            case Finished():
                if self._left:
                    return  # said again: it has not heard yet
                if said.outputs != self._seen and not said.failure:
                    raise invalid("sequence", f"the turn's last output is number {self._seen}")
            case Accepted():
                return
            case AskedQuestion() | AskedCalls() | AskedTurns():
                if said.number in self._unanswered:
                    return  # asked on another stream before: the answer goes where the worker is
                self._check_open()
                self._unanswered.add(said.number)
                self.untouched = False
            case Declined():
                self._check_open()
                self.was_let_go = goes_on
            case _:
                assert_never(said)
        self.given_back = isinstance(said, Declined)
        self._left = self.given_back or isinstance(said, Finished)
        self._said.append(said)
        self._wakeup.set()

    def renew(self, now: float) -> bool:
        """See :meth:`Inbox.renew`."""
        self._renewed_at = now
        return self._failure is None

    def dropped(self, session: AtWorker, now: float) -> None:
        """See :meth:`Inbox.dropped`."""
        if session is self._session:
            self._dropped_at = now

    def revoke(self, reason: Revocation) -> None:
        """Take the turn away from its worker: the next attempt is another's."""
        self._fail(AttemptLost(), reason)

    def come_without(self, session: AtWorker) -> None:
        """The worker is back, and does not hold the turn: if nothing was heard of it, it has not
        come to it, and is assigned it again.
        """
        if self._accepted:
            self._fail(AttemptLost(), Revocation.FENCED)
        elif self._told > MOST_TOLD:  # its stream breaks by that very turn, it seems
            self._fail(Declining(), Revocation.FENCED)
        elif self._failure is None:
            self._begin_claim(session, held=False)

    def excuse(self, late_s: float) -> None:
        """Hold so much time not against the worker: nobody could hear it."""
        self._assigned_at += late_s
        self._renewed_at += late_s
        if self._dropped_at is not None:
            self._dropped_at += late_s

    def look(self, now: float) -> None:
        """Note if the worker is lost, or does not answer."""
        session, limits = self._session, self._limits
        if session is None or self._failure is not None:
            return
        if self._dropped_at is not None:
            if now - self._dropped_at > limits.back_s:
                lost = AttemptLost() if self._told or self._accepted else NotBegun()
                self._fail(lost, Revocation.LEASE)
        elif not self._accepted and now - self._assigned_at > limits.accept_s:
            self._missed = True
            self.untouched = False  # it may have begun, and nobody heard it
            self._fail(Declining(), Revocation.NOT_ACCEPTED)
        elif now - self._renewed_at > limits.lease_s:
            self._fail(AttemptLost(), Revocation.LEASE)

    async def next(self) -> Said:
        """What the worker says next. Raises AttemptLost when it is lost."""
        while not self._said:
            if self._failure is not None:
                raise self._failure
            self._wakeup.clear()
            await self._wakeup.wait()
        return self._said.popleft()

    def tell(self, told: Told) -> None:
        """Tell the worker, if it is there; what it missed it is told when it comes back."""
        if (session := self.session) is not None:
            self._told += isinstance(told, Assign)
            session.tell(told)

    def answer(self, told: Answered | CallsEnded | TurnsEnded) -> None:
        """Tell the worker what came of an ask; one that is not there asks again."""
        self._unanswered.discard(told.number)
        self.tell(told)

    def leave(self, *, keeps: bool) -> None:
        """The worker has the turn no more, whatever it says; or keeps it for another server."""
        self._stop_claiming()
        self._acknowledge_later(None)
        self._failure = self._failure or AttemptLost()
        for session in (self._session, self._coming):
            if session is not None and session.turns.get(self._turn_id) is self:
                finished = self.finished and not keeps
                session.let_go(self._turn_id, keeps=keeps, missed=self._missed, finished=finished)

    def _stop_claiming(self) -> None:
        if self._claiming is not None:
            self._claiming.cancel()

    def _is_early(self, session: AtWorker, fence: int, said: Said) -> bool:
        """Whether a worker that goes on with the turn has said it before it heard so.

        Its stream may stand while the one between servers broke, or the turn's server died: what
        was on its way meanwhile is missing, and it says all again behind that assign.
        """
        if not self._catching_up:
            return False
        if session is not self._session or fence < self.fence:
            return True
        match said:
            case Written(number) | Progressed(number) | CallBegun(number) | CallEnded(number):
                self._catching_up = number > self._seen + 1
            case Finished(outputs=outputs):
                self._catching_up = outputs != self._seen
            case Accepted() | Declined():
                self._catching_up = False
            case _:  # what is asked is asked again
                pass
        return self._catching_up

    def _check_open(self) -> None:
        """More is taken of it, and less waits than it may say while it rests."""
        if self._left:
            raise DomainError(Reason.TURN_NOT_HELD, turn_id=self._turn_id)
        most = 2 * self._limits.unacknowledged
        if len(self._said) >= most:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{most} frames that wait")

    def _check(self, said: Output) -> None:
        if said.number != self._seen + 1:
            raise invalid("sequence", f"{self._seen + 1} comes next")
        if said.number - self._outputs.stored > self._limits.unacknowledged:
            most = f"{self._limits.unacknowledged} outputs that are not acknowledged"
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=most)
        match said:
            case CallBegun():
                self._begun.add(said.number)
            case CallEnded(begun=begun) if begun not in self._begun:
                raise invalid("call_sequence", "no call that goes on was begun by that output")
            case CallEnded(begun=begun):
                self._begun.discard(begun)

    def _note_accepted(self, session: AtWorker) -> None:
        now = time.monotonic()
        self._renewed_at = now
        if not self._accepted:
            self._accepted = True
            session.accepted(now - self._assigned_at)

    def _stored(self, number: int) -> None:
        """Say so soon, or at once if the worker may have to wait for it."""
        if self._failure is not None:
            return
        if number - self._acknowledged >= self._limits.unacknowledged // 4:
            self._acknowledge()
        elif self._acking is None:
            loop = asyncio.get_running_loop()
            self._acknowledge_later(loop.call_later(ACK_EVERY_S, self._acknowledge))

    def _acknowledge(self) -> None:
        self._acknowledge_later(None)
        self._acknowledged = self._outputs.stored
        self.tell(Ack(self._turn_id, self.fence, self._acknowledged))

    def _acknowledge_later(self, timer: asyncio.TimerHandle | None) -> None:
        if self._acking is not None:
            self._acking.cancel()
        self._acking = timer

    def _fail(self, failure: Exception, reason: Revocation) -> None:
        if self._failure is None:
            self.tell(Revoke(self._turn_id, self.fence, reason))
            self._failure = failure
            self._wakeup.set()
