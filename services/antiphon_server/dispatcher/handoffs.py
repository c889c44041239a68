"""What people do with hand-offs: ask for one, claim, answer, return, decline."""

import time
from collections.abc import Callable
from dataclasses import replace

from antiphon_server.dispatcher.delegating import stop_under
from antiphon_server.dispatcher.handing_off import queued
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.handoff_ends import HandoffEnds, check_goes_on, ended, told_end
from antiphon_server.dispatcher.handoff_model import (
    Handoff,
    HandoffClaimChanged,
    HandoffEnded,
    HandoffOrder,
    HandoffRole,
    PastHandoff,
    turn_id_of,
)
from antiphon_server.dispatcher.handoff_waits import impossible, until_handed_off, within
from antiphon_server.dispatcher.lane import ActiveTurn, Lanes
from antiphon_server.dispatcher.model import PEOPLE, ConversationId, Turn, TurnId
from antiphon_server.dispatcher.ports import Gatekeeper, HandoffQueue, Journal, TurnStore
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.errors import DomainError, Reason, not_found


class Handoffs:
    """Each method answers as the contract's RPC of its name; each raises DomainError as that."""

    def __init__(
        self,
        store: TurnStore,
        journal: Journal,
        lanes: Lanes,
        queue: HandoffQueue,
        handlers: Handlers,
        gatekeeper: Gatekeeper,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._journal, self._lanes = store, journal, lanes
        self._queue, self._handlers, self._gatekeeper = queue, handlers, gatekeeper
        self._clock = clock
        self._ends = HandoffEnds(journal)

    async def check_words(
        self, principal: Principal, conversation_id: ConversationId, order: HandoffOrder
    ) -> None:
        """Raises DomainError PERMISSION_DENIED where it would answer for who may not answer it."""
        if order.otherwise.text:
            admin = order.role != HandoffRole.MEMBER
            await self._gatekeeper.check_role(principal, conversation_id, admin=admin)

    async def handed_off(self, conversation_id: ConversationId, turn_id: TurnId) -> Turn | None:
        """A turn that waits for people; None if it does not yet. Raises as :meth:`hand_off`."""
        active = await self._handled(conversation_id, turn_id)
        if active.handoffs.open is not None:
            return active.told
        _check_possible(active)
        return None

    async def check(
        self, principal: Principal, conversation_id: ConversationId, handoff_id: str
    ) -> bool:
        """Whether one waits. Raises DomainError unless there is one which the caller may end."""
        turn, past = await self._known(conversation_id, handoff_id)
        await self._check_may(principal, turn, past.handoff)
        return past.ended is None

    async def hand_off(
        self, conversation_id: ConversationId, turn_id: TurnId, order: HandoffOrder
    ) -> Turn:
        """Stop the turn's handler, and have the turn wait for people."""
        active = await self._handled(conversation_id, turn_id)
        if active.handoffs.open is None:
            await self._handlers.check(active.turn.workspace_id, order.otherwise.handler)
            await self._stop_handler(active, order)
        return active.told

    async def _handled(self, conversation_id: ConversationId, turn_id: TurnId) -> ActiveTurn:
        active = self._lanes.find(conversation_id, turn_id)
        if active is not None:
            return active
        stored = await self._store.get(conversation_id, turn_id)
        if not isinstance(stored, Turn):
            raise not_found(turn_id)
        raise impossible(turn_id, "ENDED" if stored.state.ended else "QUEUED")

    async def _stop_handler(self, active: ActiveTurn, order: HandoffOrder) -> None:
        turn_id = active.turn.turn_id
        _check_possible(active)
        active.hand_off(order)
        stop_under(self._lanes.among(active.turn.conversation_id).values(), turn_id)
        await until_handed_off(active)

    async def claim(
        self, principal: Principal, conversation_id: ConversationId, handoff_id: str, *, over: bool
    ) -> Handoff:
        """Be at it; ``over``: in place of who is."""
        active, handoff = await self._open(principal, conversation_id, handoff_id)
        is_taken = await self._is_taken(principal, conversation_id, handoff)
        if is_taken and over:
            await self._gatekeeper.check_role(principal, conversation_id, admin=True)
        who, instead = principal.actor, "" if is_taken else handoff.claimed_by
        over = over and is_taken
        return await completed(self._claimed(active, handoff_id, who, who, instead, over=over))

    async def release(
        self, principal: Principal, conversation_id: ConversationId, handoff_id: str
    ) -> Handoff:
        """Give it back."""
        active, handoff = await self._open(principal, conversation_id, handoff_id)
        if await self._is_taken(principal, conversation_id, handoff):
            try:
                await self._gatekeeper.check_role(principal, conversation_id, admin=True)
            except DomainError as error:
                raise _claimed(handoff) from error
        by, instead = principal.actor, handoff.claimed_by
        return await completed(self._claimed(active, handoff_id, "", by, instead, over=False))

    async def _is_taken(
        self, principal: Principal, conversation_id: ConversationId, handoff: Handoff
    ) -> bool:
        """Whether another is at it, who may answer it still."""
        who = handoff.claimed_by
        if who in ("", principal.actor):
            return False
        other = Principal("user", UserId(who.removeprefix("users/")), SessionId(""))
        try:
            await self._check_role(other, conversation_id, handoff)
        except DomainError as error:
            if error.reason in (Reason.NOT_FOUND, Reason.PERMISSION_DENIED):
                return False
            raise
        return True

    async def _claimed(
        self, active: ActiveTurn, handoff_id: str, who: str, by: str, instead: str, *, over: bool
    ) -> Handoff:
        """``who`` has it, in place of nobody or of ``instead``; ``over``: of anybody."""
        async with active.handoffs.deciding:
            claimed = _still(active, handoff_id).handoff
            if claimed.claimed_by != who:
                if claimed.claimed_by not in ("", instead) and not over:
                    raise _claimed(claimed)
                claimed = await self._noted(active, handoff_id, who, by)
            # Also behind an earlier call, whose row may not have come into the queue.
            await self._queue.put(queued(active.turn, claimed))
            return claimed

    async def _noted(self, active: ActiveTurn, handoff_id: str, who: str, by: str) -> Handoff:
        check_goes_on(active, handoff_id)
        step = HandoffClaimChanged(handoff_id, who, by, int(self._clock() * 1e6))
        await self._journal.write(active.turn, [step])
        active.handoffs.note(step)
        return _still(active, handoff_id).handoff

    async def answer(
        self, principal: Principal, conversation_id: ConversationId, wish: HandoffEnded, text: str
    ) -> Turn:
        """Answer in the caller's name."""
        return await self._end(principal, conversation_id, wish, text)

    async def give_back(
        self, principal: Principal, conversation_id: ConversationId, wish: HandoffEnded
    ) -> Turn:
        """Give the turn to ``wish.handler``, or to who handed it off."""
        known = await self._known(conversation_id, wish.handoff_id)
        turn, past = known
        handler = wish.handler or turn.order.handler
        if not wish.handler and (handler == PEOPLE or past.goes_to):
            handler = past.goes_to or turn.order.held.handler or self._handlers.named("").info.name
        await self._handlers.check(turn.workspace_id, handler)
        return await self._end(principal, conversation_id, replace(wish, handler=handler))

    async def decline(
        self, principal: Principal, conversation_id: ConversationId, wish: HandoffEnded
    ) -> Turn:
        """Have happen what was declared."""
        _, past = await self._known(conversation_id, wish.handoff_id)
        otherwise = past.handoff.otherwise
        wish = replace(wish, handler=otherwise.handler)
        return await self._end(principal, conversation_id, wish, otherwise.text)

    async def _end(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        wish: HandoffEnded,
        text: str = "",
    ) -> Turn:
        turn, past = await self._known(conversation_id, wish.handoff_id)
        await self._check_may(principal, turn, past.handoff)
        active = self._lanes.find(conversation_id, turn.turn_id)
        if past.ended is None:
            if active is None:
                raise ended(wish.handoff_id, "CANCELLED")
            if await self._is_taken(principal, conversation_id, past.handoff):
                raise _claimed(past.handoff)
            past = await completed(self._ends.end(active, wish, text))
        if past.ended is None or not past.ended.is_again(wish):
            raise told_end(past)
        return await self._after(active, turn, past)

    async def _after(self, active: ActiveTurn | None, turn: Turn, past: PastHandoff) -> Turn:
        """The turn behind its end; as it ended, if it ends by that."""
        if active is None:
            return turn
        if past.is_last:
            await within(active.done.wait())
            return active.told
        is_begun = active.turn.given_to(past).returned == active.turn.returned
        return active.told if is_begun else active.turn.given_to(past)

    async def _open(
        self, principal: Principal, conversation_id: ConversationId, handoff_id: str
    ) -> tuple[ActiveTurn, Handoff]:
        turn, past = await self._known(conversation_id, handoff_id)
        await self._check_may(principal, turn, past.handoff)
        if past.ended is not None:
            raise told_end(past)
        active = self._lanes.find(conversation_id, turn.turn_id)
        if active is None:
            raise ended(handoff_id, "CANCELLED")
        return active, past.handoff

    async def _check_may(self, principal: Principal, turn: Turn, handoff: Handoff) -> None:
        """Who said what a filter holds is not the one to let it go on."""
        if turn.order.waits_for_people and principal.actor == turn.creator:
            raise DomainError(Reason.PERMISSION_DENIED, permission="ANOTHER_PERSON")
        await self._check_role(principal, turn.conversation_id, handoff)

    async def _check_role(
        self, principal: Principal, conversation_id: ConversationId, handoff: Handoff
    ) -> None:
        admin = handoff.role != HandoffRole.MEMBER  # also one that a newer server made
        await self._gatekeeper.check_role(principal, conversation_id, admin=admin)

    async def _known(
        self, conversation_id: ConversationId, handoff_id: str
    ) -> tuple[Turn, PastHandoff]:
        """The turn and its newest hand-off, which is of that id. Raises DomainError NOT_FOUND."""
        turn_id = TurnId(turn_id_of(handoff_id))
        active = self._lanes.find(conversation_id, turn_id)
        if active is not None:
            return active.turn, _newest(active.handoffs.last, handoff_id)
        stored = await self._store.get(conversation_id, turn_id)
        if not isinstance(stored, Turn):
            raise not_found(handoff_id)
        past = await self._journal.past(stored, stored.cursor)
        return stored, _newest(past.handoff, handoff_id)


def _check_possible(active: ActiveTurn) -> None:
    """Raises DomainError HANDOFF_IMPOSSIBLE for a turn that has no handler now."""
    turn_id = active.turn.turn_id
    if active.sealed or not active.goes_on or active.done.is_set():
        raise impossible(turn_id, "ENDED")
    if active.rest is None or active.turn.order.waits_for_people:
        raise impossible(turn_id, "QUEUED")


def _newest(past: PastHandoff | None, handoff_id: str) -> PastHandoff:
    if past is None or past.handoff.handoff_id != handoff_id:
        raise not_found(handoff_id)
    return past


def _still(active: ActiveTurn, handoff_id: str) -> PastHandoff:
    last = _newest(active.handoffs.last, handoff_id)
    if last.ended is not None:
        raise told_end(last)
    return last


def _claimed(handoff: Handoff) -> DomainError:
    by, handoff_id = handoff.claimed_by, handoff.handoff_id
    return DomainError(Reason.HANDOFF_CLAIMED, handoff_id=handoff_id, claimed_by=by)
