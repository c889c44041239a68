"""Turns: accepted, queued, run, cancelled, and brought to an end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog

from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.lane import MAX_TURNS, ActiveTurn, Lane, stop_all
from antiphon_server.dispatcher.model import (
    ConversationId,
    MessagePosted,
    Order,
    Outcome,
    Policy,
    State,
    Step,
    Turn,
    TurnAccepted,
    TurnFinished,
    TurnId,
    TurnQueued,
    TurnStarted,
)
from antiphon_server.dispatcher.ports import Conversations, Journal, TurnStore
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.principal import Principal

MAX_RUNNING = 1_000
STOP_WAIT_S = 30.0

log = structlog.get_logger(__name__)

Spawn = Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]]


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A turn as it is now, and the cursor right before its first event."""

    turn: Turn
    cursor: str


class Turns:
    """All turns that this node works on."""

    def __init__(
        self,
        store: TurnStore,
        journal: Journal,
        conversations: Conversations,
        handlers: Handlers,
        runner: Runner,
        spawn: Spawn,
    ) -> None:
        self._store = store
        self._journal = journal
        self._conversations = conversations
        self._handlers = handlers
        self._runner = runner
        self._spawn = spawn
        self._lanes: dict[ConversationId, Lane] = {}
        self._running = asyncio.Semaphore(MAX_RUNNING)
        self._draining = False

    async def dispatch(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        turn_id: TurnId,
        order: Order,
        digest: bytes,
    ) -> Dispatched:
        """Post a message and start its turn; returns when both are committed.

        ``digest`` identifies the request: the same turn id with another is refused.
        Raises DomainError NOT_FOUND, HANDLER_NOT_FOUND, CONVERSATION_ARCHIVED,
        TURN_REJECTED, REQUEST_ID_REUSED, LIMIT_EXCEEDED, DRAINING.
        """
        if self._draining:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        order = replace(order, handler=self._handlers.named(order.handler).info.name)
        view = await self._conversations.get(conversation_id)
        policy = order.policy or view.policy or Policy.QUEUE
        order = replace(order, policy=policy, models=order.models or view.models)
        turn = Turn(
            turn_id,
            conversation_id,
            principal.actor,
            self._runner.now_us(),
            digest,
            order,
            view.workspace_id,
        )
        async with self._lane(conversation_id) as lane:
            known = await self._known(lane, turn)
            if known is not None:
                return known
            if view.archived:
                raise DomainError(Reason.CONVERSATION_ARCHIVED, conversation_id=conversation_id)
            return await self._accept(lane, turn, policy)

    async def _known(self, lane: Lane, turn: Turn) -> Dispatched | None:
        """Answer a turn id that was seen before."""
        active = lane.turns.get(turn.turn_id)
        stored = (
            active.turn if active else await self._store.get(turn.conversation_id, turn.turn_id)
        )
        if stored is None:
            return None
        if stored.digest not in (b"", turn.digest):
            raise DomainError(Reason.REQUEST_ID_REUSED, request_id=turn.turn_id)
        if stored.order is None:
            return await self._came_too_late(stored, turn)
        return Dispatched(stored, active.cursor if active else await self._post(stored))

    async def _came_too_late(self, stored: Turn, turn: Turn) -> Dispatched:
        """End a turn that was cancelled before it came; its message is not posted."""
        assert stored.outcome is not None
        came = replace(stored, digest=turn.digest, workspace_id=turn.workspace_id)
        steps = [TurnFinished(stored.outcome, has_reply=False)]
        cursor = await self._journal.write(came, steps, request_id=f"{turn.turn_id}:end")
        if not stored.digest:
            await self._store.put(came)
        return Dispatched(came, cursor)

    async def _accept(self, lane: Lane, turn: Turn, policy: Policy) -> Dispatched:
        ahead = lane.before(policy)
        if policy is Policy.REJECT and ahead:
            running = ahead[0].turn.turn_id
            raise DomainError(Reason.TURN_REJECTED, running_turn_id=running)
        if len(ahead) >= MAX_TURNS or len(lane.turns) >= 2 * MAX_TURNS:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MAX_TURNS} turns a conversation")
        turn = self._runner.leased(turn)
        if ahead:
            turn = replace(turn, state=State.QUEUED)
        else:
            turn = replace(turn.started(turn.created_us), at_once=True)
        await self._store.add(turn)
        active = ActiveTurn(turn)
        # From here on the turn exists: whatever happens to this call, it is brought to
        # its end.
        lane.turns[turn.turn_id] = active
        accepted = asyncio.get_running_loop().create_future()
        active.task = self._spawn(
            f"turn {turn.turn_id}", self._bring_to_end(lane, active, ahead, accepted)
        )
        stop_all(ahead, policy)
        return Dispatched(turn, await asyncio.shield(accepted))

    async def _post(self, turn: Turn) -> str:
        """Say in the log that the turn was accepted, once; returns the cursor before it."""
        assert turn.order is not None
        steps: list[Step] = [MessagePosted(turn.order.content), TurnAccepted()]
        if turn.at_once:
            steps.append(TurnStarted())
            turn = replace(turn, attempt=1)
        return await self._journal.write(turn, steps, request_id=f"{turn.turn_id}:begin")

    async def _bring_to_end(
        self,
        lane: Lane,
        active: ActiveTurn,
        ahead: Sequence[ActiveTurn],
        accepted: "asyncio.Future[str] | None" = None,
        resumed_text: str = "",
    ) -> None:
        try:
            await self._run(lane, active, ahead, accepted, resumed_text)
        except asyncio.CancelledError:
            if not active.stopping:
                raise
        except DomainError as error:
            # FENCED: another node has it. Else the store stayed away: the lease runs out.
            log.warning("turn let go", turn_id=active.turn.turn_id, reason=error.reason)
        finally:
            if accepted is not None and not accepted.done():
                accepted.set_exception(DomainError(Reason.STORE_UNAVAILABLE))
                accepted.exception()  # whoever waited may be gone
            active.done.set()
            lane.turns.pop(active.turn.turn_id, None)
            self._release(active.turn.conversation_id, lane)

    async def _run(
        self,
        lane: Lane,
        active: ActiveTurn,
        ahead: Sequence[ActiveTurn],
        accepted: "asyncio.Future[str] | None",
        resumed_text: str,
    ) -> None:
        started = active.turn.at_once and accepted is not None
        try:
            if accepted is not None:
                await self._begin(active, ahead, accepted)
            for other in ahead:
                await other.done.wait()
            async with self._running:
                if not started:
                    active.turn = await self._runner.start(active.turn)
                assert active.turn.order is not None
                handler = self._handlers.named(active.turn.order.handler)
                others = self._others(lane, active)
                active.turn = await self._runner.work(
                    active.turn, handler, resumed_text, active, others
                )
        except asyncio.CancelledError:
            if active.abandoned or not active.stopping:
                raise
            await self._end_unstarted(active, resumed_text)
        active.done.set()
        await self._runner.settle(active.turn)

    async def _begin(
        self, active: ActiveTurn, ahead: Sequence[ActiveTurn], accepted: "asyncio.Future[str]"
    ) -> None:
        """Post the message; a cancel waits for that, so that it can't be half there."""
        posting = asyncio.ensure_future(self._post(active.turn))
        try:
            active.cursor = await asyncio.shield(posting)
        except asyncio.CancelledError:
            active.cursor = await posting
            accepted.set_result(active.cursor)
            raise
        accepted.set_result(active.cursor)
        if ahead:
            await self._journal.write(active.turn, [TurnQueued(len(ahead))])

    async def _end_unstarted(self, active: ActiveTurn, resumed_text: str) -> None:
        """End a turn that was cancelled before its handler worked on it.

        Its attempt may or may not have begun in the log: the next one passes the fence.
        """
        active.seal()
        turn = replace(active.turn, attempt=active.turn.attempt + 1)
        outcome = Outcome(State.CANCELLED, rolled_back=active.rolled_back)
        writer = TextWriter(self._journal, turn, resumed_text)
        active.turn = await self._runner.finish(turn, outcome, writer)

    @staticmethod
    def _others(lane: Lane, active: ActiveTurn) -> Callable[[], set[TurnId]]:
        return lambda: {it.turn.turn_id for it in lane.unfinished() if it is not active}

    async def cancel(self, conversation_id: ConversationId, turn_id: TurnId, actor: str) -> Turn:
        """Stop a turn, before, during or after it runs; returns it as it ended."""
        async with self._lane(conversation_id) as lane:
            active = lane.turns.get(turn_id)
            if active is None:
                outcome = Outcome(State.CANCELLED)
                stone = Turn(turn_id, conversation_id, actor, self._runner.now_us())
                return await self._store.add(
                    stone.ended(outcome, self._runner.now_us(), has_reply=False)
                )
            active.stop()
        try:
            async with asyncio.timeout(STOP_WAIT_S):
                await active.done.wait()
        except TimeoutError:  # the store is away; the turn ends when it is back
            raise DomainError(Reason.DEADLINE_EXCEEDED) from None
        return active.turn

    async def get(self, conversation_id: ConversationId, turn_id: TurnId) -> Turn:
        """Return a turn as it is now.

        Raises DomainError NOT_FOUND.
        """
        lane = self._lanes.get(conversation_id)
        active = lane.turns.get(turn_id) if lane else None
        turn = active.turn if active else await self._store.get(conversation_id, turn_id)
        if turn is None:
            raise not_found(turn_id)
        return turn

    async def list(
        self, conversation_id: ConversationId, before: tuple[int, str] | None, limit: int
    ) -> Sequence[Turn]:
        """Return a conversation's turns, the newest first."""
        return await self._store.list(conversation_id, before, limit)

    async def adopt(self, turn: Turn) -> None:
        """Go on with a turn of another node or of an earlier start; returns when it is in hand.

        Its outcome is taken over if it had ended; it is resumed or failed, as its
        handler says, if it ran; it is started if it waited.
        """
        async with self._lane(turn.conversation_id) as lane:
            if turn.turn_id in lane.turns:
                return
            active = ActiveTurn(turn, cursor=await self._post(turn))
            past = await self._journal.past(turn, active.cursor)
            if past.finished is not None:
                ended = turn.ended(
                    past.finished.outcome, self._runner.now_us(), has_reply=past.finished.has_reply
                )
                await self._runner.settle(ended)
                return
            assert turn.order is not None
            if turn.state is State.RUNNING and not self._handlers.resumes(turn.order.handler):
                await self._lose(turn, past.text)
                return
            ahead = lane.before(turn.order.policy)
            lane.turns[turn.turn_id] = active
            active.task = self._spawn(
                f"turn {turn.turn_id}",
                self._bring_to_end(lane, active, ahead, None, past.text),
            )

    async def _lose(self, turn: Turn, text: str) -> None:
        """Fail a turn whose node died, keeping what was delivered."""
        turn = replace(turn, attempt=turn.attempt + 1)
        await self._store.put(turn)
        outcome = Outcome(State.FAILED, DomainError(Reason.TURN_LOST))
        ended = await self._runner.finish(turn, outcome, TextWriter(self._journal, turn, text))
        await self._runner.settle(ended)

    def active(self) -> Sequence[ActiveTurn]:
        """Return the turns in hand."""
        return [active for lane in self._lanes.values() for active in lane.turns.values()]

    async def drain(self, grace_s: float) -> None:
        """Accept no more; give the turns in hand ``grace_s`` to end, then let go of them."""
        self._draining = True
        waiting = [asyncio.create_task(active.done.wait()) for active in self.active()]
        if not waiting:
            return
        await asyncio.wait(waiting, timeout=grace_s)
        for active in self.active():
            active.abandon()
        await asyncio.wait(waiting)

    @asynccontextmanager
    async def _lane(self, conversation_id: ConversationId) -> AsyncIterator[Lane]:
        """Decide alone about a conversation's turns."""
        lane = self._lanes.setdefault(conversation_id, Lane())
        lane.users += 1
        try:
            async with lane.lock:
                yield lane
        finally:
            lane.users -= 1
            self._release(conversation_id, lane)

    def _release(self, conversation_id: ConversationId, lane: Lane) -> None:
        if not lane.users and not lane.turns and self._lanes.get(conversation_id) is lane:
            del self._lanes[conversation_id]
