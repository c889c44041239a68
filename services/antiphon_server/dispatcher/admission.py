"""Which turns are taken on: what a server would refuse, with a conversation and without one."""

import asyncio
from collections.abc import Iterable

from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.lane import ActiveTurn, Lane, Lanes
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import (
    ConversationView,
    Order,
    Policy,
    StoredTurn,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.runtime.errors import DomainError, Reason


class Admission:
    """Refuses turns that can't be taken on now; nothing of them is stored then.

    Only what is new is refused: a turn that came before is answered as it is.
    What a turn asks for is taken on as long as that turn is in hand, and goes with it to another
    server.
    """

    def __init__(
        self, store: TurnStore, handlers: Handlers, lanes: Lanes, limits: TurnLimits
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._lanes = lanes
        self._limits = limits
        self._draining = False

    def close(self) -> None:
        """Admit no more."""
        self._draining = True

    async def check_unopened(self, creator: str, turn_id: TurnId, order: Order) -> None:
        """Return if a turn of ``creator`` would be taken on in a conversation that is to be made.

        Raises DomainError HANDLER_NOT_FOUND, DRAINING, LIMIT_EXCEEDED, and what the handler says
        of the message's parts.
        """
        try:
            await self._handlers.check("", order.handler)
            await self._check(creator, order, "")
        except DomainError:
            if not turn_id or not await self._came_before(creator, turn_id):
                raise

    async def known_or_admitted(
        self, lane: Lane, turn: Turn, view: ConversationView
    ) -> StoredTurn | None:
        """The stored turn if ``turn`` came before and would be refused now; None to take it on.

        Raises DomainError as :meth:`check_unopened`, CONVERSATION_ARCHIVED, TURN_REJECTED.
        """
        try:
            if turn.order.policy is Policy.REJECT:
                await _just_ending(lane.before(turn.order.policy))
            await self._check(turn.creator, turn.order, turn.workspace_id)
            self._check_lane(lane, turn, view)
        except DomainError:
            known = await self._store.get(turn.conversation_id, turn.turn_id)
            if known is None:
                raise
            return known
        return None

    async def _check(self, creator: str, order: Order, workspace_id: str) -> None:
        """What is refused wherever it is posted; nobody else comes between this and its place."""
        handler = self._handlers.named(order.handler)
        most = self._limits.most_of(creator)
        if self._lanes.of_actor(creator) >= most:
            await _just_ending(self._lanes.ending(creator))
        if order.kinds:
            await handler.check(order, workspace_id)
        if self._draining and order.parent is None:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        if self._lanes.of_actor(creator) >= most:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{most} turns a user")

    def _check_lane(self, lane: Lane, turn: Turn, view: ConversationView) -> None:
        conversation_id = view.conversation_id
        if view.erased:
            raise DomainError(Reason.CONVERSATION_ERASED, conversation_id=conversation_id)
        if view.archived:
            raise DomainError(Reason.CONVERSATION_ARCHIVED, conversation_id=conversation_id)
        ahead = lane.before(turn.order.policy)
        if turn.order.policy is Policy.REJECT and ahead:
            raise DomainError(Reason.TURN_REJECTED, running_turn_id=ahead[0].turn.turn_id)
        most = self._limits.of_conversation
        if len(lane.turns) >= most:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{most} turns a conversation")

    async def _came_before(self, creator: str, turn_id: TurnId) -> bool:
        in_hand = self._lanes.has(creator, turn_id)
        return in_hand or await self._store.came(creator, turn_id)


async def _just_ending(turns: Iterable[ActiveTurn]) -> None:
    """Wait for those that are just ending, rather than refuse others for them.

    Their ends may be in the log already, and whoever asks for a turn may have seen them.
    """
    await asyncio.gather(*(it.as_it_is() for it in turns))
