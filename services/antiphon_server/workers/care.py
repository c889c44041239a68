"""Looks after workers: who is silent, whose token is over, who may not serve any more."""

import asyncio
import time

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.telemetry.structured import structlog
from antiphon_server.workers.assignments import Assignments
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.ports import Access
from antiphon_server.workers.session import Session

log = structlog.get_logger(__name__)


class Care:
    """Looks at all workers, and at all turns that they have, several times a second."""

    def __init__(
        self,
        pool: Pool,
        assignments: Assignments,
        permissions: Permissions,
        access: Access,
        limits: WorkerLimits,
    ) -> None:
        self._pool, self._assignments = pool, assignments
        self._permissions, self._access, self._limits = permissions, access, limits

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(self._limits.look_s)
            self._excuse(time.monotonic() - began - self._limits.look_s)
            self._assignments.look()
            for session in self._pool.sessions:
                await self._look_at(session)
            self._pool.serve()  # who was quarantined may be ready again

    def _excuse(self, late_s: float) -> None:
        """While this process stood still, or had too much to do, it heard nobody."""
        if late_s > self._limits.look_s:
            self._assignments.excuse(late_s)
            self._pool.excuse(late_s)
            for session in self._pool.sessions:
                session.excuse(late_s)

    async def _look_at(self, session: Session) -> None:
        try:
            self._look_at_clock(session)
            await self._access.recheck(session.speaker.principal, session.speaker.token)
            await self._look_at_handlers(session)
            session.give_up_unclaimed(time.monotonic())
        except DomainError as error:
            if error.reason is not Reason.STORE_UNAVAILABLE:
                session.end(error)
        except Exception:
            log.exception("a worker could not be looked after", worker_id=session.worker_id)

    def _look_at_clock(self, session: Session) -> None:
        if time.monotonic() - session.heard > self._limits.lease_s:
            raise DomainError(Reason.DEADLINE_EXCEEDED)
        if time.time() >= session.speaker.principal.expires_at:
            raise DomainError(Reason.TOKEN_EXPIRED)

    async def _look_at_handlers(self, session: Session) -> None:
        """Its user may not serve a handler any more: its turns of that go on elsewhere."""
        names = [it.name for it in session.worker.offers]
        parents = await self._permissions.parents(session.worker.user_id, names)
        if parents == session.parents:
            return
        session.parents = parents
        self._pool.changed(session)
        self._assignments.look_at_rights(session)
        if not any(parents.values()):
            raise DomainError(Reason.HANDLER_NOT_ALLOWED, handler=", ".join(names))
