"""A turn finds the worker that works on it: the one that has it, or whoever has room."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from antiphon_server.dispatcher.handling import TurnAssigned, TurnId, Vanished, Work
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers.assignment import Assignment
from antiphon_server.workers.budgets import left_when
from antiphon_server.workers.frames import Assign, Revocation, Revoke, Want, WorkerId
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.model import Begun, Parent, Release
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.ports import BegunTurns, Grants, TurnBudgets
from antiphon_server.workers.session import AtWorker

UNSERVED_LOOK_S = 0.5
RETRY_S = 5.0
SHUNNED_S = 4.0
"""So long a turn that was given back waits for others, and twice as long each time after that."""
LONGEST_SHUNNED_S = 60.0
REMEMBERED = 10_000


@dataclass(slots=True)
class Course:
    """What a turn has been through here: workers that gave it back, and attempts that were lost.

    ``begun``: a worker may have begun to work on it.
    """

    shunned: frozenset[WorkerId] = frozenset()
    given_back: bool = False
    declined: int = 0
    lost: int = 0
    begun: bool = True


class Finding:
    """Finds workers for turns, and assigns those to them; the last one of a conversation first."""

    def __init__(
        self,
        pool: Pool,
        permissions: Permissions,
        grants: Grants,
        begun: BegunTurns,
        budgets: TurnBudgets,
        limits: WorkerLimits,
        traceparent: Callable[[], str],
    ) -> None:
        self._pool, self._permissions, self._grants = pool, permissions, grants
        self._begun, self._budgets, self._limits = begun, budgets, limits
        self._traceparent = traceparent
        self._last: LruCache[tuple[str, str], WorkerId] = LruCache(REMEMBERED)

    async def taken_up(self, work: Work, assignment: Assignment) -> bool:
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

    async def assign(self, work: Work, assignment: Assignment, course: Course) -> None:
        """Assign the turn to a worker; waits for one.

        Raises Vanished HANDLER_NOT_FOUND, HANDLER_UNAVAILABLE; DomainError TURN_LOST.
        """
        turn = work.turn
        handler = turn.order.handler
        parent = await self._permissions.parent_of(turn.workspace_id, handler)
        if parent is None:
            raise Vanished(Reason.HANDLER_NOT_FOUND, handler=handler)
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
        assignment.tell_assign = lambda held: told(held=held, left=() if held else left)
        told(held=held, left=left)
        if session.closed and (back := self._pool.find(session.worker_id)) is not None:
            assignment.return_to(back)  # it was back before the turn was known to be its own

    async def _waited(
        self, work: Work, want: Want, assignment: Assignment, declined: int
    ) -> AtWorker:
        """Wait for a worker, and say so. Raises Vanished HANDLER_UNAVAILABLE."""
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
                    raise Vanished(
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
