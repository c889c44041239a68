"""A turn in hand, from its acceptance to its end."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon_server.dispatcher.admission import Admission
from antiphon_server.dispatcher.delegating import Delegating, stop_under
from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.lane import ActiveTurn, Halt, Lane, Lanes, stop_all
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import (
    Child,
    ChildEnd,
    MessagePosted,
    Outcome,
    Past,
    Policy,
    State,
    Step,
    StoredTurn,
    Turn,
    TurnAccepted,
    TurnQueued,
    TurnStarted,
)
from antiphon_server.dispatcher.outages import patiently
from antiphon_server.dispatcher.places import Places
from antiphon_server.dispatcher.ports import FilteredConversations, Journal, TurnStore
from antiphon_server.dispatcher.resting import Rest
from antiphon_server.dispatcher.runner import Runner, consumed
from antiphon_server.dispatcher.tool_calls import ToolCalls
from antiphon_server.dispatcher.turn_handoffs import TurnHandoffs
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.telemetry.structured import structlog

log = structlog.get_logger(__name__)

Spawn = Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]]


def _future() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


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
        limits: TurnLimits,
        admission: Admission,
        conversations: FilteredConversations,
    ) -> None:
        self._store = store
        self._journal = journal
        self._handlers = handlers
        self._runner = runner
        self._lanes = lanes
        self._spawn = spawn
        self._places = Places(limits)
        parts = conversations, handlers, lanes, admission
        self._delegating = Delegating(self.accept, store, journal, *parts)

    @property
    def waiting(self) -> int:
        """How many turns wait for a place to run in."""
        return self._places.waiting

    async def accept(self, lane: Lane, turn: Turn, policy: Policy) -> StoredTurn:
        """Store a new turn and begin it; returns it when its message is in the log.

        If one with its id is stored already, that is returned, and nothing else is done.
        From the store's commit on the turn is brought to its end, whatever happens to
        this call; cancelled, it waits until it is known whether the turn is new.
        """
        ahead = lane.before(policy)
        turn = self._runner.leased(turn)
        at_once = not ahead and self._places.take(turn)
        if at_once:
            turn = replace(turn.started(turn.created_us), at_once=True)
        else:
            turn = replace(turn, state=State.QUEUED)
        coming = _Coming(turn, policy, ahead)
        active = ActiveTurn(turn, has_slot=at_once)
        self._lanes.begin(active)
        self._spawn_for(lane, active, lambda: self._come(lane, active, coming), coming)
        await completed(coming.stored)
        return await asyncio.shield(coming.accepted)

    def go_on(self, lane: Lane, turn: Turn, past: Past) -> None:
        """Begin to work on a turn that somebody else accepted, behind what is committed of it."""
        ahead = lane.before(turn.order.policy)
        handoffs = TurnHandoffs(past.handoff, behind=bool(past.text))
        active = ActiveTurn(turn, calls=ToolCalls(past.calls), handoffs=handoffs)
        if handoffs.is_over:  # what people have said stands, whoever stops it now
            active.seal()
        self._lanes.add(lane, active)
        self._spawn_for(lane, active, lambda: self._run(lane, active, ahead, past, started=False))

    async def post(self, turn: Turn) -> Turn:
        """Say in the log that the turn was accepted, once; returns it with its cursor."""
        steps: list[Step] = [MessagePosted(turn.order.content), TurnAccepted()]
        first = turn
        if turn.at_once:
            steps.append(TurnStarted())
            first = replace(turn, attempt=1)
        cursor = await self._journal.write(first, steps, request_id=f"{turn.turn_id}:begin")
        return replace(turn, cursor=cursor)

    def _spawn_for(
        self,
        lane: Lane,
        active: ActiveTurn,
        course: Callable[[], Coroutine[Any, Any, None]],
        coming: "_Coming | None" = None,
    ) -> None:
        name = f"turn {active.turn.turn_id}"
        active.task = self._spawn(name, self._bring_to_end(active, course))
        # Not at the end of the task's work: one that is cancelled at once never begins it.
        active.task.add_done_callback(lambda _: self._let_go(lane, active, coming))

    async def _bring_to_end(
        self, active: ActiveTurn, course: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            await course()
        except asyncio.CancelledError:
            if active.halt is Halt.NOT:
                raise
        except DomainError as error:
            # FENCED: another node has it. Else the store stayed away: the lease runs out.
            log.warning("turn let go", turn_id=active.turn.turn_id, reason=error.reason)

    def _let_go(self, lane: Lane, active: ActiveTurn, coming: "_Coming | None") -> None:
        active.done.set()
        self._lanes.remove(lane, active)
        if active.has_slot:
            self._places.leave(active.turn)
        if coming is not None:
            coming.fail()

    async def _come(self, lane: Lane, active: ActiveTurn, coming: "_Coming") -> None:
        """Store the turn; if it is new, make way for it, post its message and run it."""
        try:
            stored = await self._store.add(coming.turn)
        except DomainError as error:
            coming.fail(error)
            return
        if stored is not coming.turn:
            coming.known(stored)
            return
        self._lanes.add(lane, active)
        stop_all(coming.ahead, coming.policy)
        coming.stored.set_result(None)
        try:
            await self._post_first(active, coming.accepted)
            if not stored.at_once:
                await self._journal.write(active.turn, [TurnQueued(len(coming.ahead))])
        except asyncio.CancelledError:
            await self._stopped_early(lane, active, "")
            return
        await self._run(lane, active, coming.ahead, Past(), started=stored.at_once)

    async def _post_first(self, active: ActiveTurn, accepted: "asyncio.Future[StoredTurn]") -> None:
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
        past: Past,
        *,
        started: bool,
    ) -> None:
        try:
            for other in ahead:
                await other.done.wait()
            if not active.has_slot:
                await self._places.wait(active.turn)
                active.has_slot = True
            if not started:
                quiet = active.handoffs.begins_nothing(active.turn)
                active.turn = await self._runner.start(active.turn, quiet=quiet)
        except asyncio.CancelledError:
            await self._stopped_early(lane, active, past.text)
            return
        active.rest = Rest(_PlaceOf(active, self._places))
        active.turn = await self._runner.work(
            active.turn,
            self._handlers.named,
            past,
            active,
            active.rest,
            lambda: lane.others(active),
            self._start_child,
        )
        await self._settle(lane, active)

    async def _stopped_early(self, lane: Lane, active: ActiveTurn, text: str) -> None:
        """End a turn that was stopped before its handler worked on it.

        Its attempt may or may not have begun in the log: the next one passes the fence.
        Raises DomainError FENCED if another node has the turn.
        """
        if not active.wanted:
            raise asyncio.CancelledError
        consumed()
        active.seal()
        turn = await patiently(lambda: self._runner.next_attempt(active.turn))
        outcome = Outcome(State.CANCELLED, rolled_back=active.rolled_back)
        active.turn = await self._runner.finish(
            turn, outcome, TextWriter(self._journal, turn, text, active.calls)
        )
        await self._settle(lane, active)

    async def _start_child(self, parent: Turn, child: Child) -> ChildEnd:
        return await self._delegating.run(parent, child, self._runner.now_us())

    async def _settle(self, lane: Lane, active: ActiveTurn) -> None:
        active.done.set()
        stop_under(lane.unfinished(), active.turn.turn_id)
        self._lanes.ended(active)  # who has seen its end may begin the next one
        await patiently(lambda: self._store.put(active.turn))


@dataclass(frozen=True, slots=True)
class _PlaceOf:
    """See :class:`~antiphon_server.dispatcher.resting.Place`."""

    active: ActiveTurn
    places: Places

    def leave(self) -> None:
        self.active.has_slot = False
        self.places.leave(self.active.turn)

    async def take(self) -> None:
        await self.places.wait(self.active.turn)
        self.active.has_slot = True


@dataclass(slots=True)
class _Coming:
    """A turn that may be new. ``stored`` is done when that is known.

    ``accepted`` has the turn with its message's cursor, or the one that was there before.
    """

    turn: Turn
    policy: Policy
    ahead: Sequence[ActiveTurn]
    stored: "asyncio.Future[None]" = field(default_factory=_future)
    accepted: "asyncio.Future[StoredTurn]" = field(default_factory=_future)

    def known(self, turn: StoredTurn) -> None:
        """It is not new: ``turn`` has its id."""
        self.stored.set_result(None)
        self.accepted.set_result(turn)

    def fail(self, error: DomainError | None = None) -> None:
        """Whoever still waits is told that it is not known what became of it."""
        if not self.stored.done():
            self.stored.set_result(None)
        if not self.accepted.done():
            self.accepted.set_exception(error or DomainError(Reason.STORE_UNAVAILABLE))
            self.accepted.exception()  # whoever waited may be gone
