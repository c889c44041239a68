"""The workers that are there: who gets which turn, and who waits for one."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers.frames import Offer, Want, WorkerId
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.session import Inbox, Session


@dataclass(slots=True, eq=False)
class _Waiting:
    """A turn that waits for a worker, and the one that it gets."""

    want: Want
    inbox: Inbox
    found: "asyncio.Future[Session]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Pool:
    """Gives turns to workers: in the order in which they came, to whoever has most room.

    A turn is the worker's as soon as it is found: a slot is never given twice.
    """

    def __init__(self, limits: WorkerLimits) -> None:
        self._limits = limits
        self._sessions: dict[WorkerId, Session] = {}
        self._waiting: deque[_Waiting] = deque()
        self._came: dict[WorkerId, asyncio.Event] = {}
        self._of_user: Counter[str] = Counter()
        self._draining = False

    @property
    def sessions(self) -> Sequence[Session]:
        """All of them."""
        return list(self._sessions.values())

    @property
    def waiting(self) -> int:
        """How many turns wait for a worker."""
        return len(self._waiting)

    @contextlib.contextmanager
    def admitted(self, user_id: str) -> Iterator[None]:
        """Count a stream of that user's. Raises DomainError DRAINING, LIMIT_EXCEEDED."""
        if self._draining:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        limits = self._limits
        if self._of_user.total() >= limits.of_server:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{limits.of_server} workers a server")
        if self._of_user[user_id] >= limits.of_user:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{limits.of_user} workers a user")
        self._of_user[user_id] += 1
        try:
            yield
        finally:
            self._of_user[user_id] -= 1

    def add(self, session: Session) -> None:
        """A worker has come, or come back: its earlier stream is over.

        Raises DomainError ALREADY_EXISTS if another user's worker goes by its id.
        """
        before = self._sessions.get(session.worker_id)
        if before is not None:
            if before.worker.user_id != session.worker.user_id:
                raise DomainError(Reason.ALREADY_EXISTS, resource=session.worker_id)
            before.end(DomainError(Reason.OVERLOADED, resource="worker", retry_after=0.0))
            before.close()
        self._sessions[session.worker_id] = session
        if (came := self._came.pop(session.worker_id, None)) is not None:
            came.set()

    def remove(self, session: Session) -> None:
        """Its stream has ended."""
        if self._sessions.get(session.worker_id) is session:
            del self._sessions[session.worker_id]
        session.close()

    def find(self, worker_id: WorkerId) -> Session | None:
        """The worker, if it is there."""
        return self._sessions.get(worker_id)

    async def holder(self, worker_id: WorkerId, turn_id: TurnId, within_s: float) -> Session | None:
        """The worker, when it is there and says that it holds the turn; None if it is not."""
        until = time.monotonic() + within_s
        while True:
            session = self._sessions.get(worker_id)
            if session is not None:
                holds = any(it.turn_id == turn_id for it in session.worker.held)
                return session if holds and not session.closed else None
            came = self._came.setdefault(worker_id, asyncio.Event())
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    await came.wait()
            except TimeoutError:
                self._came.pop(worker_id, None)
                return None

    def is_served(self, handler: str, parent: str) -> bool:
        """Whether a worker is there that serves the handler, however busy it is."""
        return any(it.serves(handler, parent) and not it.closed for it in self._sessions.values())

    def take(self, want: Want, inbox: Inbox) -> Session | None:
        """Give the turn to a worker that has room, if there is one.

        Turns that wait for the same had the room before, if there was any.
        """
        suited = [it for it in self._sessions.values() if _suits(it, want) and it.free]
        if not suited:
            return None
        found = min(suited, key=lambda it: (it.worker_id != want.preferred, *_load(it)))
        found.turns[want.turn_id] = inbox
        found.assigned_at = time.monotonic()
        return found

    def offers(self, handler: str, parent: str) -> list[Offer]:
        """What workers say of the handler that are there and serve it."""
        return [
            offer
            for session in self._sessions.values()
            if session.serves(handler, parent) and not session.closed
            for offer in session.worker.offers
            if offer.name == handler
        ]

    async def acquire(self, want: Want, inbox: Inbox) -> Session:
        """Give the turn to a worker; waits until there is one. Cancelled, it has none."""
        if self._is_worth_waiting(want):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.sticky_s):
                    return await self._waited(replace(want, only_preferred=True), inbox)
        return await self._waited(want, inbox)

    def release(self, session: Session, turn_id: TurnId) -> None:
        """The worker has the turn no more."""
        session.turns.pop(turn_id, None)
        self.serve()

    def serve(self) -> None:
        """Give what waits to who has room: call it when somebody may have."""
        for waiting in list(self._waiting):
            if waiting.found.done():
                continue
            if (found := self.take(waiting.want, waiting.inbox)) is not None:
                waiting.found.set_result(found)

    def drain(self, reconnect_after_s: float = 0.2) -> None:
        """Take nobody on any more, and send all to other servers."""
        self._draining = True
        for session in self.sessions:
            session.drain(reconnect_after_s)

    async def _waited(self, want: Want, inbox: Inbox) -> Session:
        if (found := self.take(want, inbox)) is not None:
            return found
        waiting = _Waiting(want, inbox)
        self._waiting.append(waiting)
        try:
            return await waiting.found
        except asyncio.CancelledError:
            if waiting.found.done() and not waiting.found.cancelled():
                self.release(waiting.found.result(), want.turn_id)
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiting)

    def _is_worth_waiting(self, want: Want) -> bool:
        """The last worker of a conversation knows it: it is worth a moment."""
        preferred = self._sessions.get(want.preferred) if want.preferred else None
        return preferred is not None and _suits(preferred, want) and not preferred.free


def _suits(session: Session, want: Want) -> bool:
    return (
        session.open
        and session.worker_id not in want.shunned
        and not (want.only_preferred and session.worker_id != want.preferred)
        and session.serves(want.handler, want.parent)
    )


def _load(session: Session) -> tuple[float, float]:
    return len(session.turns) / max(session.slots, 1), session.assigned_at
