"""A turn in hand, from its acceptance to its end."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import structlog

from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.lane import ActiveTurn, Halt, Lane, Lanes, stop_all
from antiphon_server.dispatcher.model import (
    MessagePosted,
    Outcome,
    Policy,
    State,
    Step,
    Turn,
    TurnAccepted,
    TurnQueued,
    TurnStarted,
)
from antiphon_server.dispatcher.ports import Journal, TurnStore
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.runtime.errors import DomainError, Reason

MAX_RUNNING = 1_000

log = structlog.get_logger(__name__)

Spawn = Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]]


class Execution:
    """Brings turns to their end, each in a task of its own."""

    def __init__(
        self,
        store: TurnStore,
        journal: Journal,
        handlers: Handlers,
        runner: Runner,
        lanes: Lanes,
        spawn: Spawn,
    ) -> None:
        self._store = store
        self._journal = journal
        self._handlers = handlers
        self._runner = runner
        self._lanes = lanes
        self._spawn = spawn
        self._running = asyncio.Semaphore(MAX_RUNNING)

    async def accept(self, lane: Lane, turn: Turn, policy: Policy) -> tuple[Turn | None, Turn]:
        """Store a new turn and begin it; returns it when its message is in the log.

        If one with its id is stored already, that is returned, as the second.
        From the store's commit on the turn is brought to its end, whatever happens to
        this call.
        """
        ahead = lane.before(policy)
        turn = self._runner.leased(turn)
        if ahead:
            turn = replace(turn, state=State.QUEUED)
        else:
            turn = replace(turn.started(turn.created_us), at_once=True)
        accepted: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        active = ActiveTurn(turn)
        try:
            stored = await self._store.add(turn)
        except asyncio.CancelledError:  # the caller has gone, but the store may have the turn
            course = self._stored_or_not(lane, active, ahead, accepted)
            self._begin_task(lane, active, course, accepted)
            stop_all(ahead, policy)
            raise
        if stored is not turn:
            return None, stored
        self._begin_task(lane, active, self._new(lane, active, ahead, accepted), accepted)
        stop_all(ahead, policy)
        return await asyncio.shield(accepted), turn

    def go_on(self, lane: Lane, turn: Turn, text: str) -> None:
        """Begin to work on a turn that somebody else accepted, behind its committed text."""
        assert turn.order is not None
        ahead = lane.before(turn.order.policy)
        active = ActiveTurn(turn)
        self._begin_task(lane, active, self._run(lane, active, ahead, text, started=False))

    async def post(self, turn: Turn) -> Turn:
        """Say in the log that the turn was accepted, once; returns it with its cursor."""
        assert turn.order is not None
        steps: list[Step] = [MessagePosted(turn.order.content), TurnAccepted()]
        first = turn
        if turn.at_once:
            steps.append(TurnStarted())
            first = replace(turn, attempt=1)
        cursor = await self._journal.write(first, steps, request_id=f"{turn.turn_id}:begin")
        return replace(turn, cursor=cursor)

    def _begin_task(
        self,
        lane: Lane,
        active: ActiveTurn,
        course: Coroutine[Any, Any, None],
        accepted: "asyncio.Future[Turn] | None" = None,
    ) -> None:
        lane.turns[active.turn.turn_id] = active
        name = f"turn {active.turn.turn_id}"
        active.task = self._spawn(name, self._bring_to_end(lane, active, course, accepted))

    async def _bring_to_end(
        self,
        lane: Lane,
        active: ActiveTurn,
        course: Coroutine[Any, Any, None],
        accepted: "asyncio.Future[Turn] | None",
    ) -> None:
        try:
            await course
        except asyncio.CancelledError:
            if active.halt is Halt.NOT:
                raise
        except DomainError as error:
            # FENCED: another node has it. Else the store stayed away: the lease runs out.
            log.warning("turn let go", turn_id=active.turn.turn_id, reason=error.reason)
        finally:
            course.close()
            if accepted is not None and not accepted.done():
                accepted.set_exception(DomainError(Reason.STORE_UNAVAILABLE))
                accepted.exception()  # whoever waited may be gone
            active.done.set()
            self._lanes.remove(lane, active.turn)

    async def _stored_or_not(
        self,
        lane: Lane,
        active: ActiveTurn,
        ahead: Sequence[ActiveTurn],
        accepted: "asyncio.Future[Turn]",
    ) -> None:
        """Go on if the stored turn is this one, not one that had come with its id before."""
        if await self._store.add(active.turn) == active.turn:
            await self._new(lane, active, ahead, accepted)

    async def _new(
        self,
        lane: Lane,
        active: ActiveTurn,
        ahead: Sequence[ActiveTurn],
        accepted: "asyncio.Future[Turn]",
    ) -> None:
        try:
            await self._post_first(active, accepted)
            if ahead:
                await self._journal.write(active.turn, [TurnQueued(len(ahead))])
        except asyncio.CancelledError:
            await self._stopped_early(active, "")
            return
        await self._run(lane, active, ahead, "", started=active.turn.at_once)

    async def _post_first(self, active: ActiveTurn, accepted: "asyncio.Future[Turn]") -> None:
        """Post the message; a stop waits for that, so that it can't be half there."""
        posting = asyncio.ensure_future(self.post(active.turn))
        try:
            active.turn = await asyncio.shield(posting)
        except asyncio.CancelledError:
            active.turn = await posting
            accepted.set_result(active.turn)
            raise
        accepted.set_result(active.turn)

    async def _run(
        self,
        lane: Lane,
        active: ActiveTurn,
        ahead: Sequence[ActiveTurn],
        text: str,
        *,
        started: bool,
    ) -> None:
        try:
            for other in ahead:
                await other.done.wait()
            async with self._running:
                if not started:
                    active.turn = await self._runner.start(active.turn)
                assert active.turn.order is not None
                handler = self._handlers.named(active.turn.order.handler)
                active.turn = await self._runner.work(
                    active.turn, handler, text, active, lambda: lane.others(active)
                )
        except asyncio.CancelledError:
            await self._stopped_early(active, text)
            return
        await self._settle(active)

    async def _stopped_early(self, active: ActiveTurn, text: str) -> None:
        """End a turn that was stopped before its handler worked on it.

        Its attempt may or may not have begun in the log: the next one passes the fence.
        """
        if not active.wanted:
            raise asyncio.CancelledError
        active.seal()
        turn = replace(active.turn, attempt=active.turn.attempt + 1)
        outcome = Outcome(State.CANCELLED, rolled_back=active.rolled_back)
        active.turn = await self._runner.finish(
            turn, outcome, TextWriter(self._journal, turn, text)
        )
        await self._settle(active)

    async def _settle(self, active: ActiveTurn) -> None:
        active.done.set()
        await self._store.put(active.turn)
