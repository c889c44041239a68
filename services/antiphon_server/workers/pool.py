"""The workers that are there: who gets which turn, and who waits for one."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol

from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers.frames import Introduction, Want, WorkerId
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.offers import ExampleBytes, Offers
from antiphon_server.workers.rounds import Round, suits, those_there
from antiphon_server.workers.session import AtWorker, Inbox, Session
from antiphon_server.workers.versions import Versions

ABOUT_TO_COME_S = 0.5
REMEMBERED = 10_000


class Loan(Protocol):
    """Another server, which lends its workers."""

    def want(self, want: Want) -> None:
        """Ask for a worker; it is told by :meth:`Pool.given`."""
        ...

    def withdraw(self, turn_id: TurnId) -> None:
        """The turn needs none any more."""
        ...


class Watcher(Protocol):
    """Wants to know who is here."""

    def came(self, session: Session) -> None:
        """A worker is here, or may serve something else now."""
        ...

    def went(self, session: Session) -> None:
        """A worker is here no more."""
        ...

    def left(self) -> None:
        """All are sent to other servers, and nobody comes any more."""
        ...


@dataclass(slots=True, eq=False)
class _Waiting:
    """A turn that waits for a worker, and the one that it gets."""

    want: Want
    inbox: Inbox
    own: bool
    found: "asyncio.Future[AtWorker]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Pool:
    """Gives turns to workers: in the order in which they came, to whoever has most room.

    A turn is the worker's as soon as it is found: a slot is never given twice. Who has no room for
    it here is wanted from the servers that lend theirs, and the first that is given is taken.
    """

    def __init__(self, limits: WorkerLimits, versions: Versions | None = None) -> None:
        self._limits, self.versions = limits, versions or Versions()
        self._sessions: dict[WorkerId, Session] = {}
        self._lent: dict[WorkerId, AtWorker] = {}
        self._waiting: deque[_Waiting] = deque()
        self._came: dict[WorkerId, asyncio.Event] = {}
        self._went: LruCache[WorkerId, float] = LruCache(REMEMBERED)
        self._excused_s = 0.0
        self._streams: Counter[tuple[str, WorkerId]] = Counter()
        self._draining = False
        self.offers = Offers()
        self._examples = ExampleBytes(limits)
        self.heeders: list[Callable[[WorkerId, Collection[str]], None]] = []
        """They are told which handlers a worker may serve or describe otherwise from now on."""
        self.loans: set[Loan] = set()
        self.watchers: set[Watcher] = set()
        self.is_left = False
        """Whether all were sent to other servers."""

    @property
    def sessions(self) -> Sequence[Session]:
        """The workers whose streams are here."""
        return list(self._sessions.values())

    @property
    def all(self) -> Sequence[AtWorker]:
        """These, and those that other servers lend."""
        return [*self._sessions.values(), *self._lent.values()]

    @property
    def waiting(self) -> int:
        """How many turns wait for a worker."""
        return len(self._waiting)

    @property
    def wants(self) -> Sequence[Want]:
        """What those need that are this server's own."""
        return [it.want for it in self._waiting if it.own and not it.found.done()]

    @contextlib.contextmanager
    def admitted(self, user_id: str, worker_id: WorkerId) -> Iterator[None]:
        """Count a worker of that user's: once, though its last stream may not have ended yet.

        Raises DomainError DRAINING, LIMIT_EXCEEDED.
        """
        if self._draining:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        worker = user_id, worker_id
        if worker not in self._streams:
            self._check_limits(user_id)
        self._streams[worker] += 1
        try:
            yield
        finally:
            self._streams[worker] -= 1
            if not self._streams[worker]:
                del self._streams[worker]

    def add(self, session: Session) -> None:
        """A worker has come, or come back: its earlier stream is over.

        Raises DomainError ALREADY_EXISTS if another user's worker goes by its id, LIMIT_EXCEEDED.
        """
        before = self._sessions.get(session.worker_id)
        if before is not None and before.worker.user_id != session.worker.user_id:
            raise DomainError(Reason.ALREADY_EXISTS, resource=session.worker_id)
        if before is not None:
            before.end(DomainError(Reason.OVERLOADED, resource="worker", retry_after=0.0))
            self.remove(before)
        session.worker = self.offers.once(session.worker)
        self._examples.add(session.worker, alone=session.by_calls)
        self._sessions[session.worker_id] = session
        self._tell_heeders(session)
        for watcher in self.watchers:
            watcher.came(session)
        self._tell_waiting(session.worker_id)

    def remove(self, session: Session) -> None:
        """Its stream has ended."""
        if self._sessions.get(session.worker_id) is session:
            del self._sessions[session.worker_id]
            self._examples.drop(session.worker, alone=session.by_calls)
            self._tell_heeders(session)
            for watcher in self.watchers:
                watcher.went(session)
            self.has_gone(session.worker_id)
            self.versions.went(session.worker.release)
        session.close()

    def lent(self, session: AtWorker) -> None:
        """A worker is at another server, which lends it."""
        session.worker = self.offers.once(session.worker)
        self._lent[session.worker_id] = session
        self._tell_heeders(session)
        self._tell_waiting(session.worker_id)

    def lent_no_more(self, session: AtWorker) -> None:
        """It is there no more."""
        if self._lent.get(session.worker_id) is session:
            del self._lent[session.worker_id]
            self._tell_heeders(session)
            self.versions.went(session.worker.release)

    def has_gone(self, worker_id: WorkerId) -> None:
        """The worker's stream has ended, here or on another server; it may come back."""
        self._went.put(worker_id, time.monotonic() - self._excused_s)

    def excuse(self, late_s: float) -> None:
        """Hold so much time not against who has gone: nobody could come."""
        self._excused_s += late_s

    def changed(self, session: Session) -> None:
        """A worker that is here may serve something else now."""
        self._tell_heeders(session)
        for watcher in self.watchers:
            watcher.came(session)

    def lent_changed(
        self, session: AtWorker, worker: Introduction, parents: Mapping[str, frozenset[str]]
    ) -> None:
        """A worker of another server has or may serve something else now."""
        before = session.worker
        session.worker, session.parents = self.offers.once(worker), parents
        self._tell_heeders(session, before)

    def find(self, worker_id: WorkerId) -> AtWorker | None:
        """The worker, if it is here or lent."""
        return self._sessions.get(worker_id) or self._lent.get(worker_id)

    def here(self, worker_id: WorkerId) -> Session | None:
        """The worker, if its stream is here."""
        return self._sessions.get(worker_id)

    async def holder(self, worker_id: WorkerId, turn_id: TurnId, inbox: Inbox) -> AtWorker | None:
        """The worker, when it is there and holds the turn, which ``inbox`` has from then on.

        None if it comes without it, or does not come within ``back_s`` after it was seen to go:
        that may have been before the turn's server died, whose work this one takes over.
        """
        now = time.monotonic() - self._excused_s
        back_until = (self._went.get(worker_id) or now) + self._limits.back_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(ABOUT_TO_COME_S, back_until - now)):
                session = await self._coming(worker_id)
            async with asyncio.timeout(self._limits.back_s):
                return session if await session.claim(turn_id, inbox) else None
        return None

    def is_served(self, handler: str, parent: str) -> bool:
        """Whether a worker is there that serves the handler, however busy it is."""
        there = chain(self._sessions.values(), self._lent.values())
        return any(it.serves(handler, parent) and not it.closed for it in there)

    def is_at_hand(self, preferred: WorkerId | None) -> bool:
        """Whether nobody who is there knows the conversation, or only who is here and has room."""
        known = self.find(preferred) if preferred is not None else None
        return known is None or (isinstance(known, Session) and known.free > 0)

    def is_shunned_by_all(self, want: Want) -> bool:
        """Whether workers are there that serve it, but none that it does not shun."""
        if not want.shunned:
            return False
        serving = [it for it in self.all if it.serves(want.handler, want.parent) and not it.closed]
        return bool(serving) and all(it.worker_id in want.shunned for it in serving)

    def take(self, want: Want, inbox: Inbox) -> Session | None:
        """Give the turn to a worker that is here and has room, if there is one.

        Turns that wait for the same had the room before, if there was any.
        """
        return self._round().take(want, inbox)

    async def acquire_here(self, want: Want, inbox: Inbox) -> Session:
        """The same for a turn of another server, which asks all others itself."""
        found = await self._waited(want, inbox, loans=())
        assert isinstance(found, Session)
        return found

    async def acquire(self, want: Want, inbox: Inbox) -> AtWorker:
        """Give the turn to a worker; waits until there is one. Cancelled, it has none."""
        if self._is_worth_waiting(want):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.sticky_s):
                    return await self._waited(replace(want, only_preferred=True), inbox)
        return await self._waited(want, inbox)

    def given(self, turn_id: TurnId, session: AtWorker) -> None:
        """Another server has given a worker to a turn that waits, or has waited."""
        for waiting in self._waiting:
            wanted = waiting.own and waiting.want.turn_id == turn_id
            if wanted and not waiting.found.done():
                session.turns[turn_id] = waiting.inbox
                waiting.found.set_result(session)
                return
        session.let_go(turn_id)

    def serve(self) -> None:
        """Give what waits to who has room: call it when somebody may have."""
        if not self._waiting:
            return
        now = self._round()
        for waiting in list(self._waiting):
            if not now.has_room:
                return
            if waiting.found.done():
                continue
            if (found := now.take(waiting.want, waiting.inbox)) is not None:
                waiting.found.set_result(found)

    def refuse(self) -> None:
        """Take nobody on any more."""
        self._draining = True

    def drain(self, reconnect_after_s: float = 0.2) -> None:
        """Take nobody on any more, and send all to other servers."""
        self.refuse()
        self.is_left = True
        for watcher in self.watchers:
            watcher.left()
        for session in self.sessions:
            session.drain(reconnect_after_s)

    def _round(self) -> Round:
        return Round(self._sessions.values(), lambda: self.all, self.versions)

    def _check_limits(self, user_id: str) -> None:
        limits = self._limits
        if len(self._streams) >= limits.of_server:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{limits.of_server} workers a server")
        if sum(each == user_id for each, _ in self._streams) >= limits.of_user:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{limits.of_user} workers a user")

    async def _waited(
        self, want: Want, inbox: Inbox, loans: Collection[Loan] | None = None
    ) -> AtWorker:
        if (found := self.take(want, inbox)) is not None:
            return found
        waiting = _Waiting(want, inbox, own=loans is None)
        self._waiting.append(waiting)
        for loan in self.loans if loans is None else loans:
            loan.want(want)
        try:
            return await waiting.found
        except asyncio.CancelledError:
            if waiting.found.done() and not waiting.found.cancelled():
                waiting.found.result().let_go(want.turn_id)
            raise
        finally:
            self._waiting.remove(waiting)
            for loan in self.loans if loans is None else loans:
                loan.withdraw(want.turn_id)

    def _is_worth_waiting(self, want: Want) -> bool:
        """The last worker of a conversation knows it: it is worth a moment."""
        if want.preferred is None:
            return False
        found = self.find(want.preferred)
        if found is None:
            return False
        there = those_there(self.all, want)
        if found.worker.release not in self.versions.allowed(want, there):
            return False
        if isinstance(found, Session):
            return suits(found, want) and not found.free
        return want.preferred not in want.shunned

    async def _coming(self, worker_id: WorkerId) -> AtWorker:
        while (session := self.find(worker_id)) is None or session.closed:
            came = self._came.setdefault(worker_id, asyncio.Event())
            try:
                await came.wait()
            finally:
                if self._came.get(worker_id) is came:
                    del self._came[worker_id]
        return session

    def _tell_heeders(self, session: AtWorker, *before: Introduction) -> None:
        names = {offer.name for it in (session.worker, *before) for offer in it.offers}
        for heed in self.heeders:
            heed(session.worker_id, names)

    def _tell_waiting(self, worker_id: WorkerId) -> None:
        if (came := self._came.pop(worker_id, None)) is not None:
            came.set()
