"""A worker's stream on the wire: what it says is heard, what it is told is written."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import worker_pb2, worker_service_pb2
from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.dispatcher.worker_room import TurnStates
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.duplex import first_step, open_stream, serve_duplex
from antiphon_server.runtime.rpc.interceptors.authentication import bearer_token
from antiphon_server.runtime.rpc.interceptors.validation import InvalidMessage
from antiphon_server.runtime.rpc.slow_readers import TimedWriter
from antiphon_server.workers import encoding
from antiphon_server.workers.assignments import Assignments
from antiphon_server.workers.deployments import Deployments
from antiphon_server.workers.frames import Held, Introduction, Revocation, Revoke, Welcome
from antiphon_server.workers.hearing import Hearing
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import Session, Speaker

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Response: TypeAlias = worker_service_pb2.WorkResponse


class Working:
    """Serves streams of workers."""

    def __init__(
        self,
        pool: Pool,
        assignments: Assignments,
        permissions: Permissions,
        hearing: Hearing,
        turns: TurnStates,
        deployments: Deployments,
        limits: WorkerLimits,
    ) -> None:
        self._pool, self._assignments = pool, assignments
        self._permissions, self._hearing, self._turns = permissions, hearing, turns
        self._deployments, self._limits = deployments, limits
        self._looking = TaskSet()

    async def work(self, context: Context) -> None:
        """Serve one stream until the worker, or this server, ends it."""
        await open_stream(context)
        worker = await self._introduced(context)
        if worker is None:
            return
        async with self.taken_on(worker, context) as session:
            await serve_duplex(self._hear_all(session, context), self.tell_all(session, context))

    def introduced(self, hello: worker_pb2.Hello) -> Introduction:
        """Who a worker says it is."""
        worker = encoding.introduction(hello, current_principal().user_id)
        return self._pool.offers.once(worker)

    async def close(self) -> None:
        """Stop looking for turns that workers say they hold."""
        await self._looking.stop()

    @asynccontextmanager
    async def taken_on(
        self, worker: Introduction, context: Context, *, by_calls: bool = False
    ) -> AsyncIterator[Session]:
        """Provide a worker's session, which is assigned turns for the duration of the block.

        Raises DomainError HANDLER_NOT_ALLOWED, DRAINING, LIMIT_EXCEEDED, ALREADY_EXISTS.
        """
        principal = current_principal()
        token = bearer_token(context) if principal.kind == "user" else ""
        names = [it.name for it in worker.offers]
        await self._permissions.refresh()  # another server may have allowed it just now
        parents = await self._permissions.parents(worker.user_id, names)
        refused = tuple(it for it in names if not parents.get(it))
        if len(refused) == len(names):
            raise DomainError(Reason.HANDLER_NOT_ALLOWED, handler=", ".join(names))
        with self._pool.admitted(worker.user_id, worker.worker_id):
            await self._deployments.came(worker, parents)
            speaker = Speaker(principal, token)
            session = Session(worker, parents, speaker, self._limits, by_calls=by_calls)
            session.tell(Welcome(refused))
            self._pool.add(session)
            try:
                self._assignments.returned(session)
                self._look_for_held(session)
                self._pool.serve()
                yield session
            finally:
                self._pool.remove(session)

    async def tell_all(
        self, session: Session, context: Context, as_sent: Callable[[Response], Any] = lambda it: it
    ) -> None:
        """Write what it is told, ``as_sent``, until the session ends."""
        with TimedWriter(context) as writer:
            async for told in session.frames():
                await writer.write(as_sent(encoding.response(told, self._limits)))

    async def _introduced(self, context: Context) -> Introduction | None:
        """The same for a stream, which keeps nothing of the hello: that may be large."""
        hello: worker_pb2.Hello | None = await first_step(context, "hello")
        return self.introduced(hello) if hello is not None else None

    async def _hear_all(self, session: Session, context: Context) -> None:
        while session.ending is None:
            try:
                request = await context.read()
            except InvalidMessage as error:
                self._hearing.refuse(session, error)
                continue
            if request is grpc.aio.EOF:
                session.hang_up()
                return
            await self._hearing.take(session, request)
        if session.unread:
            raise session.ending  # now: it reads nothing of what would come before

    def _look_for_held(self, session: Session) -> None:
        """Turns that nobody here has may be on their way to this server, or over."""
        unknown = [it for it in session.worker.held if session.is_unclaimed(it.turn_id)]
        if unknown:
            name = f"turns of {session.worker_id}"
            self._looking.spawn(name, self._look(session, unknown))

    async def _look(self, session: Session, unknown: Sequence[Held]) -> None:
        """At once, and then each time behind that in which a new attempt claims what it may."""
        seen: dict[TurnId, int] = {}
        while unknown := [it for it in unknown if session.is_unclaimed(it.turn_id)]:
            for held in unknown:
                if session.closed:
                    return
                reason = await self._over(session, held, seen)
                if reason is not None and session.is_unclaimed(held.turn_id):
                    session.let_go(held.turn_id)
                    session.tell(Revoke(held.turn_id, held.fence, reason))
            await asyncio.sleep(self._limits.back_s + 1.0)

    async def _over(
        self, session: Session, held: Held, seen: dict[TurnId, int]
    ) -> Revocation | None:
        """Why it will never go on with it; None if it may.

        Of turns that it could not have got, it is told what it is told of those that are not there.
        ``seen`` are the attempts at the look before: one that was there then has gone on without.
        """
        try:
            it = await self._turns.state(held.conversation_id, held.turn_id)
        except DomainError as error:
            return Revocation.FENCED if error.reason is Reason.NOT_FOUND else None
        parent = await self._permissions.parent_of(it.workspace_id, it.handler)
        if parent is None or not session.serves(it.handler, parent):
            return Revocation.FENCED
        if it.goes_on and it.attempt > held.fence and seen.get(held.turn_id) == it.attempt:
            return Revocation.FENCED
        seen[held.turn_id] = it.attempt
        return None if it.goes_on else Revocation.ENDED
