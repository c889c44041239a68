"""Lends the workers that are here to another server, which has turns for them."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import worker_pb2, worker_service_pb2
from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.duplex import open_stream, serve_duplex
from antiphon_server.workers.encoding import hello, passed
from antiphon_server.workers.frames import Introduction, Said, Want, WorkerId
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.model import Release
from antiphon_server.workers.outgoing import Outgoing
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import AtWorker, Session

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Response: TypeAlias = worker_service_pb2.BorrowResponse


class Lending:
    """Serves the streams of servers that borrow."""

    def __init__(self, pool: Pool, limits: WorkerLimits) -> None:
        self._pool, self._limits = pool, limits

    async def lend(self, context: Context) -> None:
        """Serve one until either server ends it: then its turns are kept for the next one.

        Raises DomainError DRAINING.
        """
        if self._pool.is_left:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        await open_stream(context)
        borrower = Borrower(self._pool, self._limits)
        self._pool.watchers.add(borrower)
        try:
            for session in self._pool.sessions:
                borrower.came(session)
            await serve_duplex(_hear_all(borrower, context), _tell_all(borrower, context))
        finally:
            self._pool.watchers.discard(borrower)
            await borrower.close()


async def _hear_all(borrower: "Borrower", context: Context) -> None:
    while (request := await context.read()) is not grpc.aio.EOF:
        borrower.hear(request)


async def _tell_all(borrower: "Borrower", context: Context) -> None:
    async for frame in borrower.outgoing.frames():
        await context.write(frame)


class Borrower:
    """Another server that has turns: what it wants, and what its workers here say."""

    def __init__(self, pool: Pool, limits: WorkerLimits) -> None:
        self._pool, self._limits = pool, limits
        self._finding = TaskSet()
        self._wanted: dict[TurnId, Any] = {}
        self._given: set[TurnId] = set()
        """Turns whose workers are on their way: the other server has not said yet what it does."""
        self._inboxes: dict[TurnId, LentInbox] = {}
        self.outgoing: Outgoing[Response] = Outgoing()

    def came(self, session: Session) -> None:
        """See :meth:`Watcher.came`."""
        # A hello is up to 2 MiB, and of all workers at once when a server begins to borrow.
        now = session.worker, tuple(session.turns), session.parents
        self.outgoing.put_made(lambda: Response(worker=_lent(*now)))

    def went(self, session: Session) -> None:
        """See :meth:`Watcher.went`."""
        gone = worker_service_pb2.WorkerGone(worker_id=session.worker_id)
        self.outgoing.put(Response(gone=gone))

    def left(self) -> None:
        """See :meth:`Watcher.left`."""
        self.outgoing.end()

    def hear(self, request: worker_service_pb2.BorrowRequest) -> None:
        """Do what it says; what this version does not know is left."""
        match request.WhichOneof("frame"):
            case "want":
                self._want(request.want)
            case "claim":
                self._claim(request.claim)
            case "release":
                self._release(request.release)
            case "tell":
                self._tell(request.tell)

    async def close(self) -> None:
        """It is gone: workers keep its turns for whoever claims them."""
        await self._finding.stop()
        for turn_id, inbox in self._inboxes.items():
            if inbox.session.turns.get(turn_id) is inbox:  # nobody has claimed it meanwhile
                inbox.session.let_go(turn_id, keeps=inbox.is_there)

    def _want(self, it: worker_service_pb2.WantWorker) -> None:
        turn_id = TurnId(it.turn_id)
        if turn_id in self._given:
            return  # on its way when the want was withdrawn that it answers: it answers this one
        want = Want(
            turn_id,
            it.handler,
            it.parent,
            frozenset(map(WorkerId, it.shunned)),
            WorkerId(it.preferred) if it.preferred else None,
            it.only_preferred,
            it.conversation_id,
            Release(it.deployment, it.version) if it.deployment else None,
            it.given_back,
        )
        self._withdraw(turn_id)
        self._wanted[turn_id] = self._finding.spawn(f"want {turn_id}", self._find(want))

    async def _find(self, want: Want) -> None:
        inbox = LentInbox(want.turn_id, self.outgoing, self._limits)
        session = await self._pool.acquire_here(want, inbox)
        while session.closed:  # since: the other server has heard that it is gone
            session.let_go(want.turn_id)
            session = await self._pool.acquire_here(want, inbox)
        inbox.session = session
        self._wanted.pop(want.turn_id, None)
        self._given.add(want.turn_id)
        self._give(session, inbox)

    def _claim(self, it: worker_service_pb2.ClaimTurn) -> None:
        turn_id = TurnId(it.turn_id)
        session = self._pool.here(WorkerId(it.worker_id))
        inbox = LentInbox(turn_id, self.outgoing, self._limits)
        if session is not None and session.take_over(turn_id, inbox, anew=it.anew):
            inbox.session, inbox.is_there = session, not it.anew
            self._give(session, inbox)
        else:
            self.outgoing.put(Response(given=worker_service_pb2.GivenWorker(turn_id=it.turn_id)))

    def _give(self, session: Session, inbox: "LentInbox") -> None:
        self._inboxes[inbox.turn_id] = inbox
        given = worker_service_pb2.GivenWorker(turn_id=inbox.turn_id, worker_id=session.worker_id)
        self.outgoing.put(Response(given=given))

    def _release(self, it: worker_service_pb2.ReleaseTurn) -> None:
        turn_id = TurnId(it.turn_id)
        if not it.worker_id:
            self._withdraw(turn_id)
            return
        inbox = self._inboxes.get(turn_id)
        if inbox is None or inbox.session.worker_id != it.worker_id:
            return
        del self._inboxes[turn_id]
        self._given.discard(turn_id)
        session = inbox.session
        if session.turns.get(turn_id) is inbox:
            session.let_go(turn_id, keeps=it.keeps, missed=it.missed, finished=it.finished)
            self._pool.serve()

    def _withdraw(self, turn_id: TurnId) -> None:
        finding = self._wanted.pop(turn_id, None)
        if finding is not None:
            finding.cancel()

    def _tell(self, it: worker_service_pb2.TellWorker) -> None:
        self._given.discard(TurnId(it.frame.assign.turn_id))
        session = self._pool.here(WorkerId(it.worker_id))
        if session is None:
            return
        is_new = it.frame.HasField("assign") and not it.frame.assign.held
        if not is_new or self._assigned(session, it.frame.assign):
            session.tell(passed(it.frame))

    def _assigned(self, session: Session, assign: worker_pb2.Assign) -> bool:
        """Whether it is for this stream of the worker: on a later one it is assigned again."""
        inbox = self._inboxes.get(TurnId(assign.turn_id))
        if inbox is None or inbox.session is not session:
            return False
        inbox.assigned, inbox.is_there = (assign.fence, time.monotonic()), True
        return True


def _lent(
    worker: Introduction, turns: Iterable[TurnId], parents: Mapping[str, frozenset[str]]
) -> worker_service_pb2.LentWorker:
    it = worker_service_pb2.LentWorker(hello=hello(worker, turns), user_id=worker.user_id)
    for name, its in parents.items():
        it.handlers.add(handler=name, parents=sorted(its))
    return it


class LentInbox:
    """The turn of another server: what a worker says of it passes through.

    Twice as many frames wait to pass as a worker may have on their way, and one heartbeat.
    """

    def __init__(self, turn_id: TurnId, outgoing: Outgoing[Response], limits: WorkerLimits) -> None:
        self.turn_id, self._outgoing, self._limits = turn_id, outgoing, limits
        self.session: Session
        self.is_there = False
        """Whether the turn has come to the worker, or is on its way to it."""
        self.assigned: tuple[int, float] | None = None
        """The attempt, and since when its assign is not answered."""
        self._waiting = 0
        self._renewing = False

    def hear(self, session: AtWorker, fence: int, said: Said, wire: object) -> None:
        """See :meth:`Inbox.hear`."""
        assert isinstance(wire, worker_service_pb2.WorkRequest)
        if self.assigned is not None and fence == self.assigned[0]:
            session.accepted(time.monotonic() - self.assigned[1])
            self.assigned = None
        if self._waiting >= 2 * self._limits.unacknowledged:
            most = f"{self._limits.unacknowledged} outputs that are not acknowledged"
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=most)
        self._waiting += 1
        passed = worker_service_pb2.WorkerSaid(worker_id=session.worker_id, frame=wire)
        self._outgoing.put(Response(said=passed), self._sent)

    def renew(self, now: float) -> bool:
        """See :meth:`Inbox.renew`."""
        if not self._renewing:
            renewed = worker_service_pb2.LeasesRenewed(
                worker_id=self.session.worker_id, turn_ids=[self.turn_id]
            )
            self._renewing = True
            self._outgoing.put(Response(renewed=renewed), self._renewed)
        return True

    def dropped(self, session: AtWorker, now: float) -> None:
        """See :meth:`Inbox.dropped`; the other server is told that the worker is gone."""

    def _renewed(self) -> None:
        self._renewing = False

    def _sent(self) -> None:
        self._waiting -= 1
