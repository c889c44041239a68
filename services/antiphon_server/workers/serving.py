"""Handlers that workers serve: a turn finds its worker, and is followed there to its end."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from antiphon_server.dispatcher.handling import (
    AttemptLost,
    CallOutcome,
    Handler,
    HandlerInfo,
    LossPolicy,
    Order,
    PastCall,
    ToolCall,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallStarted,
    Turn,
    TurnAssigned,
    TurnId,
    Work,
)
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers import call_ids
from antiphon_server.workers.asking import Asking
from antiphon_server.workers.assignment import Assignment, Declining, NotBegun
from antiphon_server.workers.assignments import Assignments
from antiphon_server.workers.budgets import left_when
from antiphon_server.workers.delegation import Delegation
from antiphon_server.workers.frames import (
    Accepted,
    Ack,
    AskedCalls,
    AskedQuestion,
    AskedTurns,
    Assign,
    CallBegun,
    CallEnded,
    Cancel,
    Declined,
    Finished,
    Output,
    Progressed,
    Revocation,
    Revoke,
    Want,
    WorkerId,
    Written,
)
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.model import Begun, Parent, Release
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.ports import BegunTurns, Grants, TurnBudgets
from antiphon_server.workers.presented import Presented
from antiphon_server.workers.session import AtWorker

UNSERVED_LOOK_S = 0.5
RETRY_S = 5.0
SHUNNED_S = 4.0
"""So long a turn that was given back waits for others, and twice as long each time after that."""
LONGEST_SHUNNED_S = 60.0
REMEMBERED = 10_000


@dataclass(slots=True)
class _Course:
    """What a turn has been through here: workers that gave it back, and attempts that were lost.

    ``begun``: a worker may have begun to work on it.
    """

    shunned: frozenset[WorkerId] = frozenset()
    given_back: bool = False
    declined: int = 0
    lost: int = 0
    begun: bool = True


class Serving:
    """What handlers of workers have in common. See :class:`WorkerHandler`."""

    def __init__(
        self,
        pool: Pool,
        permissions: Permissions,
        grants: Grants,
        asking: Asking,
        delegation: Delegation,
        begun: BegunTurns,
        budgets: TurnBudgets,
        limits: WorkerLimits,
        traceparent: Callable[[], str] = lambda: "",
    ) -> None:
        self._traceparent = traceparent
        self._pool, self._permissions, self._grants = pool, permissions, grants
        self._asking, self._delegation, self._limits = asking, delegation, limits
        self._begun, self._budgets = begun, budgets
        self._courses: LruCache[TurnId, _Course] = LruCache(REMEMBERED)
        self._last: LruCache[tuple[str, str], WorkerId] = LruCache(REMEMBERED)
        self._presented = Presented(pool, permissions)
        self.assignments = Assignments()

    def named(self, name: str) -> Handler:
        """See :meth:`Workers.named`."""
        return WorkerHandler(name, self)

    async def knows(self, workspace_id: str, name: str) -> bool:
        """See :meth:`Workers.knows`."""
        if await self._knows(workspace_id, name):
            return True
        await self._permissions.refresh()  # another server may have allowed it just now
        return await self._knows(workspace_id, name)

    async def _knows(self, workspace_id: str, name: str) -> bool:
        if not workspace_id:
            return await self._permissions.known(name)
        return await self._permissions.parent_of(workspace_id, name) is not None

    async def infos(self, workspace_id: str) -> Sequence[HandlerInfo]:
        """See :meth:`Workers.infos`."""
        return self._presented.infos(workspace_id)

    async def check(self, workspace_id: str, name: str, kinds: Collection[str]) -> None:
        """See :meth:`Presented.check`."""
        await self._presented.check(workspace_id, name, kinds)

    async def run(self, work: Work) -> None:
        """Have a worker work on the turn, or go on with it if it has it already."""
        turn_id = work.turn.turn_id
        course = self._courses.get(turn_id)
        assignment = Assignment(work, self._limits)
        self.assignments.live[turn_id] = assignment
        goes_on = False
        try:
            if course is not None or not await self._taken_up(work, assignment):
                course = course or _Course(begun=work.outputs.assigned is not None)
                await self._assign(work, assignment, course)
            await self._follow(work, assignment)
        except asyncio.CancelledError:
            if work.is_over:
                assignment.tell(Cancel(turn_id, assignment.fence))
            goes_on = not work.is_over
            raise
        except AttemptLost as lost:
            self._note_lost(turn_id, assignment, course or _Course(), lost)
            raise
        except DomainError as error:
            goes_on = error.reason is Reason.FENCED
            if not (assignment.finished or goes_on):
                assignment.tell(Revoke(turn_id, assignment.fence, Revocation.ENDED))
            raise
        finally:
            del self.assignments.live[turn_id]
            if goes_on or not assignment.finished:
                assignment.leave(keeps=goes_on)
                self._pool.serve()

    def _note_lost(
        self, turn_id: TurnId, assignment: Assignment, course: _Course, lost: AttemptLost
    ) -> None:
        """Raises DomainError if there is to be no other attempt."""
        worker_id = assignment.worker_id
        if isinstance(lost, NotBegun):
            course = replace(course, declined=course.declined + 1)
            begun = course.begun or not assignment.untouched
            course = replace(course, given_back=assignment.given_back, begun=begun)
            if isinstance(lost, Declining) and worker_id is not None:
                course = replace(course, shunned=course.shunned | {worker_id})
            if course.declined >= self._limits.declines:
                handler = assignment.served[0]
                raise DomainError(Reason.HANDLER_UNAVAILABLE, handler=handler, retry_after=RETRY_S)
        else:
            course = replace(course, given_back=False, lost=course.lost + 1, begun=True)
            if course.lost >= self._limits.attempts or not assignment.resumes:
                raise DomainError(Reason.TURN_LOST) from lost
        self._courses.put(turn_id, course)

    async def _taken_up(self, work: Work, assignment: Assignment) -> bool:
        """Let the worker go on that had the turn at a server that is gone, if it comes here."""
        had = work.outputs.assigned
        if had is None:
            return False
        worker_id, turn_id = WorkerId(had.worker_id), work.turn.turn_id
        session = await self._pool.holder(worker_id, turn_id, assignment)
        if session is None:
            return False
        try:
            if not await self._may_go_on(work, assignment, session):
                return False
            await work.outputs.assign(had)
            self._tell_assign(work, assignment, session, held=True)
        finally:
            if assignment.worker_id is None:
                self._let_go(session, turn_id)
        return True

    async def _may_go_on(self, work: Work, assignment: Assignment, session: AtWorker) -> bool:
        turn = work.turn
        parent = await self._permissions.parent_of(turn.workspace_id, turn.order.handler)
        if parent is None or not session.serves(turn.order.handler, parent):
            session.tell(Revoke(turn.turn_id, 0, Revocation.REMOVED))
            return False
        assignment.served = turn.order.handler, parent
        return True

    def _let_go(self, session: AtWorker, turn_id: TurnId) -> None:
        """The worker has a turn no more that it was just about to have."""
        session.let_go(turn_id)
        self._pool.serve()

    async def _assign(self, work: Work, assignment: Assignment, course: _Course) -> None:
        turn = work.turn
        handler = turn.order.handler
        parent = await self._permissions.parent_of(turn.workspace_id, handler)
        if parent is None:
            raise DomainError(Reason.HANDLER_NOT_FOUND, handler=handler)
        last = self._last.get((turn.conversation_id, handler))
        had = work.outputs.assigned
        began = Release(had.deployment, had.version) if had is not None else None
        about = (turn.conversation_id, began, course.given_back)
        want = Want(turn.turn_id, handler, parent, course.shunned, last, False, *about)
        session: AtWorker | None = None
        if self._pool.is_at_hand(last):
            session = self._pool.take(want, assignment)
        session = session or await self._waited(work, want, assignment, course.declined)
        try:
            if course.begun and not session.resumes(handler):
                raise DomainError(Reason.TURN_LOST)
            it = session.worker
            told = work.outputs.assign(TurnAssigned(it.worker_id, it.deployment, it.version))
            left = await left_when(told, turn, self._budgets)
        except BaseException:
            self._let_go(session, turn.turn_id)
            raise
        self._last.put((turn.conversation_id, handler), session.worker_id)
        assignment.served = handler, parent
        self._tell_assign(work, assignment, session, left=left)

    def _tell_assign(
        self,
        work: Work,
        assignment: Assignment,
        session: AtWorker,
        *,
        held: bool = False,
        left: Sequence[bytes] = (),
    ) -> None:
        turn = work.turn
        traceparent = self._traceparent()

        def told(*, held: bool, left: Sequence[bytes] = ()) -> None:
            deadline = time.time() + work.left_s
            grant = self._grants.issue(turn, deadline)
            about = (grant, round(deadline * 1e6), traceparent)
            stored = work.outputs.stored
            assignment.tell(Assign(turn, work.resumed_text, stored, held, *about, left))

        assignment.given(session, held=held)
        named = (turn.turn_id, turn.conversation_id, turn.attempt)
        self._begun.begin(Begun(*named, Parent(assignment.served[1]), session.worker.release))
        assignment.tell_assign = lambda held: told(held=held)
        told(held=held, left=left)

    async def _waited(
        self, work: Work, want: Want, assignment: Assignment, declined: int
    ) -> AtWorker:
        """Wait for a worker, and say so. Raises DomainError HANDLER_UNAVAILABLE."""
        finding = asyncio.ensure_future(self._pool.acquire(want, assignment))
        served, said = time.monotonic(), False
        shun_until = served + min(SHUNNED_S * 2.0 ** (declined - 1), LONGEST_SHUNNED_S)
        try:
            while not (await asyncio.wait({finding}, timeout=UNSERVED_LOOK_S))[0]:
                if not said:
                    await work.progress(f"waiting for a worker of {want.handler}")
                    said = True
                if self._pool.is_served(want.handler, want.parent):
                    served = time.monotonic()
                elif time.monotonic() - served > self._limits.unserved_s:
                    raise DomainError(
                        Reason.HANDLER_UNAVAILABLE, handler=want.handler, retry_after=RETRY_S
                    )
                # Who gave it back may take it now. All others may wait for this very turn.
                over = want.shunned and time.monotonic() > shun_until
                if over or self._pool.is_shunned_by_all(want):
                    await self._given_up(finding, want)
                    want = replace(want, shunned=frozenset())
                    finding = asyncio.ensure_future(self._pool.acquire(want, assignment))
            return finding.result()
        except BaseException:
            await self._given_up(finding, want)
            raise

    async def _given_up(self, finding: "asyncio.Future[AtWorker]", want: Want) -> None:
        """Look for nobody any more; who was found in this moment has the turn not."""
        finding.cancel()
        await asyncio.wait({finding})
        if not finding.cancelled() and finding.exception() is None:
            self._let_go(finding.result(), want.turn_id)

    async def _follow(self, work: Work, assignment: Assignment) -> None:
        """Do what the worker says until it says that the turn ends."""
        while True:
            said = await assignment.next()
            match said:
                case Written() | Progressed() | CallBegun() | CallEnded():
                    await _put(work, said)
                case AskedQuestion():
                    assignment.answer(await self._asking.question(work, said))
                case AskedCalls():
                    assignment.answer(await self._asking.calls(work, said))
                case AskedTurns():
                    assignment.answer(await self._delegation.turns(work, said))
                case Finished():
                    return self._finish(work, assignment, said)
                case Declined() if assignment.was_let_go:
                    raise AttemptLost
                case Declined():
                    raise Declining
                case Accepted():
                    pass
                case _:
                    assert_never(said)

    def _finish(self, work: Work, assignment: Assignment, said: Finished) -> None:
        """Raises DomainError HANDLER_FAILED if the worker says so."""
        ack = Ack(work.turn.turn_id, assignment.fence, said.outputs, finished=True)
        assignment.finished = True
        work.outputs.on_end(lambda stored: self._ended(assignment, ack, stored=stored))
        if said.usage is not None:
            work.account(said.usage, said.model)
        if said.failure:
            handler = work.turn.order.handler
            raise DomainError(Reason.HANDLER_FAILED, handler=handler, why=said.failure)

    def _ended(self, assignment: Assignment, ack: Ack, *, stored: bool) -> None:
        """The end is stored: tell the worker, wherever it is by now. Then its slot is free.

        Else it keeps the turn, whose end it says again to the next server.
        """
        worker_id = assignment.worker_id
        session = self._pool.find(worker_id) if stored and worker_id is not None else None
        if session is not None:
            session.tell(ack)
            if session is not assignment.session:
                session.let_go(ack.turn_id, finished=True)
        assignment.leave(keeps=not stored)
        self._pool.serve()


class WorkerHandler:
    """A handler that workers serve; a :class:`~antiphon_server.dispatcher.handling.Handler`."""

    def __init__(self, name: str, serving: Serving) -> None:
        self._name, self._serving = name, serving

    @property
    def info(self) -> HandlerInfo:
        """See :attr:`Handler.info`: whether a turn is lost is decided when it runs."""
        return HandlerInfo(self._name, "", LossPolicy.RESUME, built_in=False)

    async def check(self, order: Order, workspace_id: str) -> None:
        """See :meth:`Handler.check`; while no worker is there it is not known what they take."""
        await self._serving.check(workspace_id, self._name, order.kinds)

    async def run(self, work: Work) -> None:
        """See :meth:`Handler.run`."""
        await self._serving.run(work)

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """See :meth:`Handler.lost`; a worker that is alive goes on with it."""


async def _put(work: Work, said: Output) -> None:
    outputs, turn_id = work.outputs, work.turn.turn_id
    match said:
        case Written(number, text):
            await outputs.write(number, text)
        case Progressed(number, status, fraction):
            await outputs.progress(number, status, fraction)
        case CallBegun(number, tool, arguments):
            call = ToolCall(call_ids.own_call(turn_id, number), tool, arguments, number)
            proposed = ToolCallProposed(call, False, outputs.said_bytes, number)
            await outputs.report(proposed, ToolCallStarted(call))
        case CallEnded(number, begun, content, failed):
            outcome = CallOutcome.FAILED if failed else CallOutcome.SUCCEEDED
            end = ToolCallFinished(
                call_ids.own_call(turn_id, begun), outcome, content, output=number
            )
            await outputs.report(end)
        case _:
            assert_never(said)
