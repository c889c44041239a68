"""A worker on its stream: what it has, and what it is to be told."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon_server.dispatcher.handling import LossPolicy, TurnId
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers.frames import (
    Ack,
    Beat,
    Cancel,
    Declined,
    Draining,
    Introduction,
    Passed,
    Rejected,
    Revocation,
    Revoke,
    Said,
    Standing,
    Told,
    WorkerId,
)
from antiphon_server.workers.limits import WorkerLimits

_KEPT = 64
"""So many newest times are kept for the median."""


class Inbox(Protocol):
    """A turn that a worker has: what it says of it comes here."""

    def hear(self, session: "AtWorker", fence: int, said: Said, wire: object) -> None:
        """Take what the worker says; ``wire`` is the frame, for whoever passes it on.

        Raises DomainError for what can't be taken.
        """
        ...

    def renew(self, now: float) -> bool:
        """The worker lives, and works on it; returns whether anybody wants that."""
        ...

    def dropped(self, session: "AtWorker", now: float) -> None:
        """The worker's stream has ended."""
        ...


class Unclaimed:
    """The inbox of a turn whose server is gone: the worker keeps it for the next one.

    For ``keep_s``, in which servers take over what one of them has left.
    """

    def __init__(self, keep_s: float) -> None:
        self.until = time.monotonic() + keep_s

    def hear(self, session: "AtWorker", fence: int, said: Said, wire: object) -> None:
        """Hear nothing: the worker says it again to whoever claims the turn."""

    def renew(self, now: float) -> bool:
        """Whether it may be claimed still."""
        return now < self.until

    def dropped(self, session: "AtWorker", now: float) -> None:
        """Nobody is there to be told."""


class AtWorker(Protocol):
    """A worker that turns can be at, whether its stream is here or on another server."""

    worker: Introduction
    parents: Mapping[str, frozenset[str]]
    closed: bool
    turns: dict[TurnId, Inbox]

    @property
    def open(self) -> bool:
        """Whether it may be assigned turns if it has room, as far as is known here."""
        ...

    @property
    def worker_id(self) -> WorkerId:
        """The life of the worker's process."""
        ...

    def serves(self, handler: str, parent: str) -> bool:
        """Whether it serves that handler of the parent."""
        ...

    def resumes(self, handler: str) -> bool:
        """Whether a turn of that handler is begun anew whose worker is lost."""
        ...

    def holds(self, turn_id: TurnId) -> bool:
        """Whether it has the turn, or says that it does."""
        ...

    def tell(self, told: Told) -> None:
        """Have it told that."""
        ...

    def accepted(self, after_s: float) -> None:
        """Note that it has answered an assign."""
        ...

    async def claim(self, turn_id: TurnId, inbox: Inbox, *, anew: bool = False) -> bool:
        """Take over a turn that it holds; whether it does. Cancelled, the worker keeps it.

        ``anew``: or that has not come to it, if it has room.
        """
        ...

    def let_go(
        self, turn_id: TurnId, *, keeps: bool = False, missed: bool = False, finished: bool = False
    ) -> None:
        """It has the turn no more; or ``keeps`` it, for another server.

        ``missed``: it has not answered the assign in time. ``finished``: it has ended the turn.
        """
        ...


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, by which token."""

    principal: Principal
    token: str


class Session:
    """One stream of a worker. ``parents`` are those for which it may serve each handler.

    Frames to it wait in a queue, of acknowledgements only the newest of each turn. Times are those
    of the monotonic clock, in seconds.
    """

    def __init__(
        self,
        worker: Introduction,
        parents: Mapping[str, frozenset[str]],
        speaker: Speaker,
        limits: WorkerLimits,
        *,
        by_calls: bool = False,
    ) -> None:
        self.worker, self.parents, self.speaker = worker, parents, speaker
        self.by_calls = by_calls
        """Whether what it says comes by calls of their own."""
        self.slots = worker.slots
        self.turns: dict[TurnId, Inbox] = {
            it.turn_id: Unclaimed(limits.unclaimed_s) for it in worker.held
        }
        self.draining = False
        self.ending: DomainError | None = None
        self.closed = self.hung_up = False
        self.since = time.time()
        self.heard = self.assigned_at = time.monotonic()
        self.heard_time = self.since
        self.finished = 0
        self.quarantined_until = 0.0
        self._limits = limits
        self._missed = self._quarantines = 0
        self._accepted_ms: deque[float] = deque(maxlen=_KEPT)
        self._out: deque[Told] = deque()
        self._acks: dict[TurnId, Told] = {}
        self._wakeup = asyncio.Event()

    @property
    def worker_id(self) -> WorkerId:
        """The life of the worker's process."""
        return self.worker.worker_id

    @property
    def open(self) -> bool:
        """Whether it may be assigned turns, if it has slots."""
        return not (self.draining or self.closed or self.ending) and not self.quarantined

    @property
    def quarantined(self) -> bool:
        """Whether it is left alone, since it did not answer."""
        return time.monotonic() < self.quarantined_until

    @property
    def free(self) -> int:
        """How many more turns it takes."""
        return max(0, self.slots - len(self.turns))

    @property
    def unread(self) -> bool:
        """Whether all that may wait for it to read does."""
        return len(self._out) >= self._limits.untold

    @property
    def standing(self) -> Standing:
        """What becomes of turns that it could have."""
        if self.draining:
            return Standing.DRAINING
        if self.quarantined:
            return Standing.QUARANTINED
        return Standing.READY if self.free else Standing.BUSY

    @property
    def quarantine_end(self) -> float:
        """Until when it is left alone, in Unix seconds."""
        return time.time() + self.quarantined_until - time.monotonic()

    @property
    def accept_p50_ms(self) -> float:
        """How long it took to answer its newest assigns; 0 before the first."""
        known = sorted(self._accepted_ms)
        return known[len(known) // 2] if known else 0.0

    def resumes(self, handler: str) -> bool:
        """Whether a turn of that handler is begun anew whose worker is lost."""
        policies = {it.name: it.loss_policy for it in self.worker.offers}
        return policies.get(handler) is not LossPolicy.FAIL

    def serves(self, handler: str, parent: str) -> bool:
        """Whether it serves that handler of the parent."""
        return parent in self.parents.get(handler, ())

    def tell(self, told: Told) -> None:
        """Have it told that; a worker that does not read so much loses its stream."""
        if (acked := _acked(told)) is not None:
            self._acks[acked] = told
        else:
            if (over := _over(told)) is not None:
                self._acks.pop(over, None)
            if len(self._out) < self._limits.untold:
                self._out.append(told)
            else:
                self.end(DomainError(Reason.OVERLOADED, resource="stream", retry_after=1.0))
        self._wakeup.set()

    def hear(self, turn_id: TurnId, fence: int, said: Said, wire: object = None) -> None:
        """Hand on what it says of a turn that it has.

        Raises DomainError TURN_NOT_HELD, INVALID_ARGUMENT, LIMIT_EXCEEDED.
        """
        inbox = self.turns.get(turn_id)
        if inbox is None:
            raise DomainError(Reason.TURN_NOT_HELD, turn_id=turn_id)
        inbox.hear(self, fence, said, wire)
        if isinstance(said, Declined) and isinstance(inbox, Unclaimed):
            del self.turns[turn_id]

    def excuse(self, late_s: float) -> None:
        """Hold so much time not against it: nobody could hear it."""
        self.heard += late_s
        for inbox in self.turns.values():
            if isinstance(inbox, Unclaimed):
                inbox.until += late_s

    def heard_now(self) -> None:
        """Note that it lives."""
        self.heard, self.heard_time = time.monotonic(), time.time()

    def heartbeat(self, turn_ids: Sequence[TurnId]) -> None:
        """It lives; renew the leases of those turns that it has, and say which.

        Of one that nobody has claimed yet it has not heard on this stream, so it may not name it.
        """
        self.heard_now()
        unclaimed = [it for it in self.turns if self.is_unclaimed(it)]
        known = [it for it in dict.fromkeys((*turn_ids, *unclaimed)) if it in self.turns]
        self.tell(Beat([it for it in known if self.turns[it].renew(self.heard)]))

    def accepted(self, after_s: float) -> None:
        """Note that it has answered an assign."""
        self._missed = 0
        self._accepted_ms.append(after_s * 1000)

    def missed(self) -> None:
        """Note that it has not; after some in a row it is left alone, longer each time."""
        self._missed += 1
        if self._missed >= self._limits.missed:
            self._missed = 0
            pause = self._limits.quarantine_s * 2 ** min(self._quarantines, 5)
            self._quarantines += 1
            self.quarantined_until = time.monotonic() + pause

    def reject(self, error: DomainError, turn_id: str = "", number: int = 0) -> None:
        """Say that a frame was not taken."""
        self.tell(Rejected(error, turn_id, number))

    def drain(self, reconnect_after_s: float) -> None:
        """Tell it that the server is about to end the stream, and end it."""
        self.tell(Draining(reconnect_after_s))
        self.end(DomainError(Reason.DRAINING, retry_after=reconnect_after_s))

    def end(self, why: DomainError) -> None:
        """End its stream behind what it is to be told still; the first reason counts."""
        self.ending = self.ending or why
        self._wakeup.set()

    async def frames(self) -> AsyncIterator[Told]:
        """What it is to be told, until it ends. Raises the DomainError with which it ends."""
        while True:
            self._wakeup.clear()
            while self._out or self._acks:
                if self._out:
                    yield self._out.popleft()
                else:
                    yield self._acks.pop(next(iter(self._acks)))
            if self.hung_up:
                return
            if self.ending is not None:
                raise self.ending
            await self._wakeup.wait()

    async def claim(self, turn_id: TurnId, inbox: Inbox, *, anew: bool = False) -> bool:
        """See :meth:`AtWorker.claim`."""
        return self.take_over(turn_id, inbox, anew=anew)

    def take_over(self, turn_id: TurnId, inbox: Inbox, *, anew: bool = False) -> bool:
        """Claim it at once: who does has fenced out who had it before."""
        has = turn_id in self.turns
        if anew and has and not self.is_unclaimed(turn_id):
            return False  # another server has it by now, and has told it to the worker
        if self.closed or not (has or (anew and self.open and self.free)):
            return False
        self.turns[turn_id] = inbox
        return True

    def give_up_unclaimed(self, now: float) -> bool:
        """Take away what nobody has claimed in time; whether there was anything."""
        late = [
            turn_id
            for turn_id, inbox in self.turns.items()
            if isinstance(inbox, Unclaimed) and not inbox.renew(now)
        ]
        for turn_id in late:
            del self.turns[turn_id]
            self.tell(Revoke(turn_id, 0, Revocation.LEASE))
        return bool(late)

    def holds(self, turn_id: TurnId) -> bool:
        """See :meth:`AtWorker.holds`."""
        return turn_id in self.turns

    def is_unclaimed(self, turn_id: TurnId) -> bool:
        """Whether it holds the turn for a server that has not claimed it."""
        return isinstance(self.turns.get(turn_id), Unclaimed)

    def let_go(
        self, turn_id: TurnId, *, keeps: bool = False, missed: bool = False, finished: bool = False
    ) -> None:
        """See :meth:`AtWorker.let_go`."""
        self.finished += finished
        if missed:
            self.missed()
        if keeps and turn_id in self.turns:
            self.turns[turn_id] = Unclaimed(self._limits.unclaimed_s)
        else:
            self.turns.pop(turn_id, None)

    def hang_up(self) -> None:
        """End the stream: the worker has nothing more to say."""
        self.hung_up = True
        self._wakeup.set()

    def close(self) -> None:
        """The stream is over: the turns that it has are told."""
        self.closed = True
        now = time.monotonic()
        for inbox in list(self.turns.values()):
            inbox.dropped(self, now)


def _acked(told: Told) -> TurnId | None:
    """The turn of which it acknowledges outputs, as what comes behind it does, too."""
    match told:
        case Ack(turn_id=turn_id, finished=False) | Passed(acked=turn_id):
            return turn_id
    return None


def _over(told: Told) -> TurnId | None:
    """The turn that the worker has no more to hear of."""
    match told:
        case Ack(turn_id) | Cancel(turn_id) | Revoke(turn_id) | Passed(over=turn_id):
            return turn_id
    return None
