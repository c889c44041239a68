"""Turns as their clients see them: dispatched, looked at, cancelled."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from antiphon_server.dispatcher.admission import Admission
from antiphon_server.dispatcher.delegating import stop_under
from antiphon_server.dispatcher.execution import Execution
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.lane import ActiveTurn, Lane, Lanes
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import (
    ConversationId,
    ConversationView,
    Held,
    Order,
    Policy,
    Posted,
    StoredTurn,
    Tombstone,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.ports import (
    FilteredConversations,
    Gatekeeper,
    Journal,
    RoutesTurns,
    TurnStore,
)
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason, not_found

STOP_WAIT_S = 30.0
LETTING_GO_S = 3.0
LOOK_S = 0.1


class Turns:
    """All turns, in hand or stored."""

    def __init__(
        self,
        store: TurnStore,
        journal: Journal,
        conversations: FilteredConversations,
        gatekeeper: Gatekeeper,
        handlers: Handlers,
        runner: Runner,
        lanes: Lanes,
        execution: Execution,
        recovery: Recovery,
        limits: TurnLimits,
        admission: Admission,
        routes: RoutesTurns | None = None,
    ) -> None:
        self._routes = routes
        self._store = store
        self._journal = journal
        self._conversations = conversations
        self._gatekeeper = gatekeeper
        self._handlers = handlers
        self._runner = runner
        self._lanes = lanes
        self._execution = execution
        self._recovery = recovery
        self._limits = limits
        self._admission = admission

    async def dispatch(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        turn_id: TurnId,
        order: Order,
        digest: bytes,
        *,
        attended: bool = True,
    ) -> StoredTurn:
        """Post a message and start its turn; returns it when both are committed.

        ``digest`` identifies the request: the same turn id with another is refused. ``attended``:
        whoever is the ``principal`` waits for it, and may be asked who shall have it.
        Raises DomainError NOT_FOUND, HANDLER_NOT_FOUND, CONVERSATION_ARCHIVED,
        TURN_REJECTED, REQUEST_ID_REUSED, LIMIT_EXCEEDED, DRAINING, OVERLOADED, CONTENT_BLOCKED,
        FILTER_UNAVAILABLE, THROTTLED, what the handler says of the message's parts; and what
        removed members get who waited for their place.
        """
        view = await self._conversations.heard(conversation_id, principal, order.content)
        try:
            if view.throttled_s:
                raise DomainError(Reason.THROTTLED, retry_after=view.throttled_s)
            if view.filtered:
                if (known := await self._known(conversation_id, turn_id)) is not None:
                    turn = self._turn(principal, view, turn_id, order, digest)
                    return await self._again(known, turn)  # whatever filters would say by now
                order = await self._screened(principal, view, turn_id, order)
            attended = attended and principal.kind == "user"
            order = await self._routed(
                Posted(view, principal.actor, order.content, attended), order
            )
            await self._handlers.check(view.workspace_id, order.handler)
            order = order.to_people() if order.held.reason else order
        except DomainError:  # which is no matter for a turn that came before
            known = await self._known(conversation_id, turn_id)
            if known is None:
                raise
            return await self._again(known, self._turn(principal, view, turn_id, order, digest))
        has_to_wait = self._lanes.is_busy(conversation_id)
        async with self._lanes.of(conversation_id, most=self._limits.waiting) as lane:
            if has_to_wait:  # meanwhile the caller may have been removed, or all archived
                await self._gatekeeper.check_write(principal, conversation_id)
                view = await self._conversations.get(conversation_id)
            turn = self._turn(principal, view, turn_id, order, digest)
            return await self._take(lane, turn, view)

    async def _screened(
        self, principal: Principal, view: ConversationView, turn_id: TurnId, order: Order
    ) -> Order:
        """The order with what filters leave of its message."""
        author, content = principal.actor, order.content
        left = await self._conversations.screened(view, author, turn_id, content, holds=True)
        return replace(order, content=left.content, held=Held(left.held_for))

    async def _routed(self, posted: Posted, order: Order) -> Order:
        """The order with its handler: the one that is named, or by routes, or the default."""
        if not order.handler and self._routes is not None:
            found = await self._routes.route(posted)
            if found is not None:
                return order.routed(found)
        return replace(order, handler=self._handlers.named(order.handler).info.name)

    def _turn(
        self,
        principal: Principal,
        view: ConversationView,
        turn_id: TurnId,
        order: Order,
        digest: bytes,
    ) -> Turn:
        policy = order.policy or view.policy or Policy.QUEUE
        order = replace(
            order,
            policy=policy,
            models=order.models or view.models,
            max_output_tokens=order.max_output_tokens or view.max_output_tokens,
        )
        return Turn(
            turn_id,
            view.conversation_id,
            principal.actor,
            self._runner.now_us(),
            digest,
            order,
            workspace_id=view.workspace_id,
            api_keys=principal.api_keys,
            filtered=view.filtered,
        )

    async def _take(self, lane: Lane, turn: Turn, view: ConversationView) -> StoredTurn:
        """Take the turn on, or answer for one with its id that came before."""
        active = lane.turns.get(turn.turn_id)
        if active is not None:
            return await self._again(active.turn, turn)
        known = await self._admission.known_or_admitted(lane, turn, view)
        if known is None:
            known = await self._execution.accept(lane, turn, turn.order.policy)
        return await self._again(known, turn)

    async def _known(self, conversation_id: ConversationId, turn_id: TurnId) -> StoredTurn | None:
        active = self._lanes.find(conversation_id, turn_id)
        return (
            active.turn if active is not None else await self._store.get(conversation_id, turn_id)
        )

    async def _again(self, known: StoredTurn, turn: Turn) -> StoredTurn:
        """Answer a turn id that was seen before."""
        if known.digest not in (b"", turn.digest):
            raise DomainError(Reason.REQUEST_ID_REUSED, request_id=turn.turn_id)
        if isinstance(known, Tombstone):
            return known if known.digest else await self._came_too_late(known, turn)
        if not known.cursor:  # let go before its message was known to be posted
            return await self._execution.post(known)
        return known

    async def _came_too_late(self, stored: Tombstone, turn: Turn) -> Tombstone:
        """End a turn that was cancelled before it came; its message is not posted."""
        cursor = await self._journal.cancelled(stored)
        came = replace(stored, digest=turn.digest, workspace_id=turn.workspace_id, cursor=cursor)
        await self._store.put(came)
        return came

    async def cancel(
        self, conversation_id: ConversationId, turn_id: TurnId, actor: str
    ) -> StoredTurn:
        """Stop a turn, before, during or after it runs; returns it as it ended.

        Raises DomainError DEADLINE_EXCEEDED if the store is away: it will end all the same.
        """
        active = self._lanes.find(conversation_id, turn_id)
        if active is None:  # unless it is just coming
            async with self._lanes.of(conversation_id) as lane:
                active = lane.turns.get(turn_id)
                if active is None:
                    stored = await self._cancel_stored(conversation_id, turn_id, actor)
        if active is None:
            return await self._end_if_ours(stored)
        active.stop()
        if active.wanted:
            stop_under(self._lanes.among(conversation_id).values(), turn_id)
        try:
            async with asyncio.timeout(STOP_WAIT_S):
                await active.done.wait()
        except TimeoutError:
            raise DomainError(Reason.DEADLINE_EXCEEDED) from None
        if not active.turn.state.ended:  # it was let go in this very moment
            return await self.cancel(conversation_id, turn_id, actor)
        return active.turn

    async def _cancel_stored(
        self, conversation_id: ConversationId, turn_id: TurnId, actor: str
    ) -> StoredTurn:
        """Note the wish with a turn that nobody here works on, or that has not come yet."""
        stone = Tombstone(turn_id, conversation_id, actor, self._runner.now_us())
        while True:
            stored = await self._store.add(stone)
            if isinstance(stored, Tombstone) or stored.state.ended or stored.cancel_requested:
                return stored
            wished = replace(stored, cancel_requested=True)
            try:
                await self._store.put(wished)
            except DomainError as error:
                if error.reason is not Reason.FENCED:
                    raise
            else:
                return wished

    async def _end_if_ours(self, stored: StoredTurn) -> StoredTurn:
        if isinstance(stored, Turn) and not stored.state.ended and self._runner.holds(stored):
            await self._recovery.adopt(stored)
        return await self.get(stored.conversation_id, stored.turn_id)

    async def get(self, conversation_id: ConversationId, turn_id: TurnId) -> StoredTurn:
        """Return a turn as it is now; whoever saw its end in the log gets it ended.

        Raises DomainError NOT_FOUND.
        """
        active = self._lanes.find(conversation_id, turn_id)
        if active is not None:
            return await active.as_it_is()
        turn = await self._store.get(conversation_id, turn_id)
        if turn is None:
            raise not_found(turn_id)
        return turn

    async def list(
        self, conversation_id: ConversationId, before: tuple[int, str] | None, limit: int
    ) -> Sequence[StoredTurn]:
        """Return a conversation's turns as they are now, the newest first."""
        in_hand = self._lanes.among(conversation_id)
        stored = await self._store.list(conversation_id, before, limit)
        asked = [in_hand[turn.turn_id] for turn in stored if turn.turn_id in in_hand]
        now = {
            turn.turn_id: turn for turn in await asyncio.gather(*(it.as_it_is() for it in asked))
        }
        return [now.get(turn.turn_id, turn) for turn in stored]

    async def drain(self, grace_s: float, last: Callable[[], None] = lambda: None) -> None:
        """Accept no more; give the turns in hand ``grace_s`` to end, then let go of them.

        Those that another server can go on with are not waited for. If a worker has them, that is
        told to go there by ``last``, right before they are let go: nobody hears it in between.
        """
        self._admission.close()
        for it in self._in_hand():
            if it.rests and not it.at_worker:  # for a person, who may take days
                it.abandon()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while busy := [it for it in self._in_hand() if not it.rests]:
                    await _done(busy, LOOK_S)  # or found a worker, or somebody to ask
        last()
        left = self._in_hand()
        for it in left:
            it.abandon()
        await _done(left, LETTING_GO_S)  # else a store hangs; their leases run out

    def _in_hand(self) -> Sequence[ActiveTurn]:
        return [*self._lanes.all(), *self._lanes.coming()]


async def _done(turns: Sequence[ActiveTurn], within_s: float) -> None:
    """Return when all are, or behind that time."""
    waiting = [asyncio.create_task(it.done.wait()) for it in turns]
    try:
        if waiting:
            await asyncio.wait(waiting, timeout=within_s)
    finally:
        for task in waiting:
            task.cancel()
