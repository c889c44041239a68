"""Handlers that workers serve: a turn finds its worker, and is followed there to its end."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from antiphon_server.dispatcher.handling import (
    AttemptLost,
    Handler,
    HandlerInfo,
    LossPolicy,
    Order,
    PastCall,
    Turn,
    TurnId,
    Work,
)
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers.assignment import Assignment, Declining, NotBegun
from antiphon_server.workers.assignments import Assignments
from antiphon_server.workers.finding import RETRY_S, Course, Finding
from antiphon_server.workers.following import Following
from antiphon_server.workers.frames import Ack, Cancel, Finished, Revocation, Revoke
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.ports import BegunTurns, Grants, TurnBudgets
from antiphon_server.workers.presented import Presented

REMEMBERED = 10_000


class Serving:
    """What handlers of workers have in common. See :class:`WorkerHandler`."""

    def __init__(
        self,
        pool: Pool,
        permissions: Permissions,
        grants: Grants,
        following: Following,
        begun: BegunTurns,
        budgets: TurnBudgets,
        limits: WorkerLimits,
        traceparent: Callable[[], str] = lambda: "",
    ) -> None:
        self._pool, self._permissions, self._limits = pool, permissions, limits
        found_by = (pool, permissions, grants, begun, budgets, limits, traceparent)
        self._finding, self._following = Finding(*found_by), following
        self._courses: LruCache[tuple[TurnId, str], Course] = LruCache(REMEMBERED)
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
        course = self._courses.get((turn_id, work.turn.order.handler))
        assignment = Assignment(work, self._limits)
        self.assignments.live[turn_id] = assignment
        goes_on = False
        try:
            if course is not None or not await self._finding.taken_up(work, assignment):
                course = course or Course(begun=work.outputs.assigned is not None)
                await self._finding.assign(work, assignment, course)
            await self._finish(work, assignment, await self._following.follow(work, assignment))
        except asyncio.CancelledError:
            if work.is_over:
                assignment.tell(Cancel(turn_id, assignment.fence))
            goes_on = not work.is_over
            raise
        except AttemptLost as lost:
            self._note_lost(turn_id, assignment, course or Course(), lost)
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
        self, turn_id: TurnId, assignment: Assignment, course: Course, lost: AttemptLost
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
        self._courses.put((turn_id, assignment.served[0]), course)

    async def _finish(self, work: Work, assignment: Assignment, said: Finished) -> None:
        """Raises DomainError HANDLER_FAILED, or HandedOff, if the worker says so."""
        (model,) = await work.outputs.masked([said.model])
        ack = Ack(work.turn.turn_id, assignment.fence, said.outputs, finished=True)
        assignment.finished = True
        work.outputs.on_end(lambda stored: self._ended(assignment, ack, stored=stored))
        if said.usage is not None:
            work.account(said.usage, model)
        if said.hand_off is not None:
            work.hand_off(said.hand_off)
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
