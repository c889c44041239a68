"""A turn in hand is handed to people, and waits for them."""

import asyncio
import time
from collections.abc import Callable, Sequence

from antiphon_server.dispatcher.handoff_ends import HandedTurn, HandoffEnds
from antiphon_server.dispatcher.handoff_model import (
    DAY_S,
    Handoff,
    HandoffEnd,
    HandoffEnded,
    HandoffOrder,
    QueuedHandoff,
    TurnHandedOff,
)
from antiphon_server.dispatcher.model import Step, Turn
from antiphon_server.dispatcher.outages import AWAY, patiently
from antiphon_server.dispatcher.ports import HandoffQueue, HearsOfWaits, Journal
from antiphon_server.dispatcher.resting import Rest
from antiphon_server.runtime.errors import DomainError

LOOK_S = 60.0
"""Clocks may be set meanwhile: so often it is looked how long it is still."""
AGAIN_S = 1.0


class HandingOff:
    """Has turns wait for people: they are in the queue, take no place, and expire."""

    def __init__(
        self,
        journal: Journal,
        queue: HandoffQueue,
        clock: Callable[[], float] = time.time,
        people: HearsOfWaits | None = None,
    ) -> None:
        self._journal, self._queue, self._clock = journal, queue, clock
        self._people = people
        self._ends = HandoffEnds(journal)

    async def begin(self, it: HandedTurn, order: HandoffOrder, before: Sequence[Step]) -> None:
        """Commit that the turn waits from now on, behind the steps ``before`` of it."""
        turn, now_us = it.turn, int(self._clock() * 1e6)
        handoff = Handoff(
            it.handoffs.next_id(turn.turn_id),
            order.reason,
            order.role,
            order.asked_by or f"handlers/{turn.order.handler}",
            now_us,
            now_us + int(order.expire_s * 1e6),
            order.otherwise,
            held_for=turn.order.held.handler if turn.order.waits_for_people else "",
        )
        handed = TurnHandedOff(handoff)
        request_id = f"{turn.turn_id}:{turn.attempt}"
        await patiently(
            lambda: self._journal.write(turn, [*before, handed], request_id=request_id),
            AWAY.difference(self._journal.waits_for),
        )
        it.handoffs.note(handed)

    async def wait(self, it: HandedTurn, rest: Rest) -> None:
        """Return when its hand-off has ended; if it goes on, with a place."""
        await self._show(it)
        await rest.aside(self._ended(it))
        await self._queue.remove(it.turn)
        if not it.handoffs.is_over:
            await rest.wake()

    async def tell_end(self, it: HandedTurn) -> None:
        """Tell who isn't looking that the newest one has ended, once it has."""
        last = it.handoffs.last
        if self._people is None or last is None or last.ended is None:
            return
        if it.handoffs.told_end != last.handoff.handoff_id:
            it.handoffs.told_end = last.handoff.handoff_id
            await self._people.handoff_ended(it.turn, last)

    async def forget(self, turn: Turn) -> None:
        """Have a turn that ends in no queue; what can't be reached hides it by its state."""
        await self._queue.remove(turn)

    async def _show(self, it: HandedTurn) -> None:
        handoff = it.handoffs.open
        if handoff is None:
            return
        await patiently(lambda: self._queue.put(queued(it.turn, handoff)))
        if self._people is not None and self._clock() - handoff.created_us / 1e6 < DAY_S:
            await self._people.handed_off(it.turn, handoff)

    async def _ended(self, it: HandedTurn) -> None:
        while (handoff := it.handoffs.open) is not None:
            left_s = handoff.expires_us / 1e6 - self._clock()
            if left_s <= 0:
                await self._expire(it, handoff)
                continue
            try:
                async with asyncio.timeout(min(left_s, LOOK_S)):
                    await it.handoffs.ended()
            except TimeoutError:
                continue

    async def _expire(self, it: HandedTurn, handoff: Handoff) -> None:
        otherwise = handoff.otherwise
        expired = HandoffEnded(handoff.handoff_id, HandoffEnd.EXPIRED, handler=otherwise.handler)
        try:
            await self._ends.end(it, expired, otherwise.text)
        except DomainError as error:
            if error.reason not in AWAY:
                raise
            await asyncio.sleep(AGAIN_S)


def queued(turn: Turn, handoff: Handoff) -> QueuedHandoff:
    """A turn's hand-off as the queue has it."""
    return QueuedHandoff(
        handoff,
        turn.workspace_id,
        turn.conversation_id,
        turn.turn_id,
        turn.message_id,
        turn.order.handler,
        turn.creator,
        content=turn.order.content,
    )
