"""Borrows the workers whose streams are on other servers that share the store."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import grpc

from antiphon.dispatcher.v1 import worker_service_pb2
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceStub
from antiphon_server.dispatcher.handling import LossPolicy, TurnId
from antiphon_server.runtime.channels.server_ways import ServerWays
from antiphon_server.runtime.concurrency.tasks import TaskSet, every
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.rpc.duplex import serve_duplex
from antiphon_server.runtime.telemetry.structured import structlog
from antiphon_server.workers import encoding
from antiphon_server.workers.assignments import Assignments
from antiphon_server.workers.frames import Introduction, Rejected, Told, Want, WorkerId
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.outgoing import Outgoing
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import Inbox

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceAsyncStub

Request: TypeAlias = worker_service_pb2.BorrowRequest
Response: TypeAlias = worker_service_pb2.BorrowResponse
Others: TypeAlias = Callable[[], Awaitable[Mapping[str, str]]]
"""Where the other servers listen that live now, by their lives."""

LOOK_S = 0.5

log = structlog.get_logger(__name__)


class Borrowing:
    """Keeps a stream to each other server, on which its workers are lent."""

    def __init__(
        self,
        pool: Pool,
        assignments: Assignments,
        others: Others,
        ways: ServerWays,
        limits: WorkerLimits,
    ) -> None:
        self._pool, self._assignments, self._others = pool, assignments, others
        self._ways, self._limits = ways, limits
        self._streams = TaskSet()
        self._open: dict[str, asyncio.Task[None]] = {}
        self._stubs: set[WorkerServiceAsyncStub] = set()

    async def run(self) -> None:
        """Look for servers that come and go, until cancelled."""
        await every(LOOK_S, self._look)

    async def close(self) -> None:
        """End all streams."""
        await self._streams.stop()
        await self._ways.close()

    def others(self) -> "Sequence[WorkerServiceAsyncStub]":
        """The other servers that lend their workers now."""
        return list(self._stubs)

    async def _look(self) -> None:
        others = await self._others()
        for life in self._open.keys() - others.keys():
            self._open.pop(life).cancel()
        for life, address in others.items():
            open_now = self._open.get(life)
            if address and (open_now is None or open_now.done()):
                name = f"workers of {address}"
                self._open[life] = self._streams.spawn(name, self._borrow(address))

    async def _borrow(self, address: str) -> None:
        """Borrow from a server until the stream breaks; who looks opens it again."""
        stub = WorkerServiceStub(await self._ways.to(address))
        loan = ServerLoan(self._pool, self._assignments, self._limits)
        self._stubs.add(stub)
        try:
            await loan.run(stub)
        except grpc.aio.AioRpcError as error:
            log.debug("a server lends no workers now", address=address, code=error.code().name)
        except DomainError as error:
            log.warning("a server lends no workers now", address=address, why=error.reason)
        finally:
            self._stubs.discard(stub)
            loan.close()


class ServerLoan:
    """One server's workers. See :class:`~antiphon_server.workers.pool.Loan`."""

    def __init__(self, pool: Pool, assignments: Assignments, limits: WorkerLimits) -> None:
        self._pool, self._assignments, self._limits = pool, assignments, limits
        self._workers: dict[WorkerId, LentSession] = {}
        self._claims: dict[TurnId, deque[tuple[WorkerId, asyncio.Future[bool]]]] = {}
        """Those that are not answered, also if nobody waits any more."""
        self.outgoing: Outgoing[Request] = Outgoing()

    async def run(self, stub: "WorkerServiceAsyncStub") -> None:
        """Borrow until the stream ends. Raises AioRpcError, DomainError."""
        call = stub.Borrow()
        try:
            await call.wait_for_connection()
            self._pool.loans.add(self)
            for want in self._pool.wants:
                self.want(want)
            await serve_duplex(self._write(call), self._read(call))
        finally:
            call.cancel()

    def want(self, want: Want) -> None:
        """See :meth:`Loan.want`."""
        it = worker_service_pb2.WantWorker(
            turn_id=want.turn_id,
            handler=want.handler,
            parent=want.parent,
            shunned=want.shunned,
            preferred=want.preferred or "",
            only_preferred=want.only_preferred,
            conversation_id=want.conversation_id,
            deployment=want.began.deployment if want.began else "",
            version=want.began.version if want.began else "",
            given_back=want.given_back,
        )
        self.outgoing.put(Request(want=it))

    def withdraw(self, turn_id: TurnId) -> None:
        """See :meth:`Loan.withdraw`."""
        self.release(worker_service_pb2.ReleaseTurn(turn_id=turn_id))

    def release(self, it: worker_service_pb2.ReleaseTurn) -> None:
        """End what there is to do with a turn."""
        self.outgoing.put(Request(release=it))

    async def claim(self, turn_id: TurnId, worker_id: WorkerId, *, anew: bool = False) -> bool:
        """See :meth:`AtWorker.claim`."""
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._claims.setdefault(turn_id, deque()).append((worker_id, answered))
        claim = worker_service_pb2.ClaimTurn(turn_id=turn_id, worker_id=worker_id, anew=anew)
        self.outgoing.put(Request(claim=claim))
        return await answered

    def close(self) -> None:
        """The stream is over: nobody here hears of these workers."""
        self._pool.loans.discard(self)
        for worker_id in list(self._workers):
            self._lost(worker_id)
        for claims in self._claims.values():
            for _, answered in claims:
                if not answered.done():
                    answered.set_result(False)

    async def _write(self, call: "grpc.aio.StreamStreamCall[Request, Response]") -> None:
        async for frame in self.outgoing.frames():
            await call.write(frame)

    async def _read(self, call: "grpc.aio.StreamStreamCall[Request, Response]") -> None:
        async for frame in call:
            self._hear(frame)

    def _hear(self, frame: Response) -> None:
        match frame.WhichOneof("frame"):
            case "worker":
                self._came(frame.worker)
            case "gone":
                self._pool.has_gone(WorkerId(frame.gone.worker_id))
                self._lost(WorkerId(frame.gone.worker_id))
            case "given":
                self._given(frame.given)
            case "said":
                if (session := self._workers.get(WorkerId(frame.said.worker_id))) is not None:
                    session.hear(frame.said.frame)
            case "renewed":
                if (session := self._workers.get(WorkerId(frame.renewed.worker_id))) is not None:
                    session.renew(map(TurnId, frame.renewed.turn_ids))

    def _came(self, it: worker_service_pb2.LentWorker) -> None:
        worker = encoding.introduction(it.hello, it.user_id)
        parents = {each.handler: frozenset(each.parents) for each in it.handlers}
        known = self._workers.get(worker.worker_id)
        if known is not None:
            self._pool.lent_changed(known, worker, parents)
            self._assignments.look_at_rights(known)
            return
        session = LentSession(self, worker, parents, self._limits)
        self._workers[worker.worker_id] = session
        self._pool.lent(session)
        self._assignments.returned(session)

    def _lost(self, worker_id: WorkerId) -> None:
        session = self._workers.pop(worker_id, None)
        if session is not None:
            self._pool.lent_no_more(session)
            session.close()

    def _given(self, it: worker_service_pb2.GivenWorker) -> None:
        turn_id = TurnId(it.turn_id)
        if self._answers_claim(turn_id, it.worker_id):
            return
        session = self._workers.get(WorkerId(it.worker_id))
        if session is not None:
            self._pool.given(turn_id, session)

    def _answers_claim(self, turn_id: TurnId, worker_id: str) -> bool:
        """Whether that is what came of a claim; they are answered in their order."""
        claims = self._claims.get(turn_id)
        if not claims or worker_id not in ("", claims[0][0]):
            return False
        _, answered = claims.popleft()
        if not claims:
            del self._claims[turn_id]
        if not answered.done():
            answered.set_result(bool(worker_id))
        return True


class LentSession:
    """A worker on another server. See :class:`~antiphon_server.workers.session.AtWorker`."""

    def __init__(
        self,
        loan: ServerLoan,
        worker: Introduction,
        parents: Mapping[str, frozenset[str]],
        limits: WorkerLimits,
    ) -> None:
        self._loan, self.worker, self.parents, self._limits = loan, worker, parents, limits
        self.turns: dict[TurnId, Inbox] = {}
        self.held = frozenset(it.turn_id for it in worker.held)
        self.closed = False

    @property
    def worker_id(self) -> WorkerId:
        """See :attr:`AtWorker.worker_id`."""
        return self.worker.worker_id

    @property
    def open(self) -> bool:
        """See :attr:`AtWorker.open`."""
        return not self.closed

    def serves(self, handler: str, parent: str) -> bool:
        """See :meth:`AtWorker.serves`."""
        return parent in self.parents.get(handler, ())

    def resumes(self, handler: str) -> bool:
        """See :meth:`AtWorker.resumes`."""
        policies = {it.name: it.loss_policy for it in self.worker.offers}
        return policies.get(handler) is not LossPolicy.FAIL

    def holds(self, turn_id: TurnId) -> bool:
        """See :meth:`AtWorker.holds`."""
        return turn_id in self.held or turn_id in self.turns

    def tell(self, told: Told) -> None:
        """See :meth:`AtWorker.tell`."""
        frame = encoding.response(told, self._limits)
        tell = worker_service_pb2.TellWorker(worker_id=self.worker_id, frame=frame)
        self._loan.outgoing.put(Request(tell=tell))

    def accepted(self, after_s: float) -> None:
        """See :meth:`AtWorker.accepted`; its own server sees so itself, and sooner."""

    async def claim(self, turn_id: TurnId, inbox: Inbox, *, anew: bool = False) -> bool:
        """See :meth:`AtWorker.claim`."""
        self.turns[turn_id] = inbox  # what the worker says may come with the answer
        try:
            if not self.closed and await self._loan.claim(turn_id, self.worker_id, anew=anew):
                return True
        except asyncio.CancelledError:  # it may be claimed all the same
            if self.turns.get(turn_id) is inbox:
                self.let_go(turn_id, keeps=not anew)
            raise
        if self.turns.get(turn_id) is inbox:
            del self.turns[turn_id]
        return False

    def let_go(
        self, turn_id: TurnId, *, keeps: bool = False, missed: bool = False, finished: bool = False
    ) -> None:
        """See :meth:`AtWorker.let_go`."""
        self.turns.pop(turn_id, None)
        release = worker_service_pb2.ReleaseTurn(
            turn_id=turn_id,
            worker_id=self.worker_id,
            keeps=keeps,
            missed=missed,
            finished=finished,
        )
        self._loan.release(release)

    def hear(self, request: worker_service_pb2.WorkRequest) -> None:
        """Take what the worker says; what can't be taken it is told."""
        turn_id, number = encoding.about(request)
        inbox = self.turns.get(TurnId(turn_id))
        if inbox is None:
            return  # it was told that the turn is not its own any more
        try:
            _, fence, said = encoding.said(request)  # a newer server may have taken it
            inbox.hear(self, fence, said, request)
        except DomainError as error:
            self.tell(Rejected(error, turn_id, number))

    def renew(self, turn_ids: "map[TurnId]") -> None:
        """It lives, and works on these."""
        now = time.monotonic()
        for turn_id in turn_ids:
            if (inbox := self.turns.get(turn_id)) is not None:
                inbox.renew(now)

    def close(self) -> None:
        """It is there no more."""
        self.closed = True
        now = time.monotonic()
        for inbox in list(self.turns.values()):
            inbox.dropped(self, now)
