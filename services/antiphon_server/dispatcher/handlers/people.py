"""Hands each turn to people, from the start: a route or a caller names it in a handler's place."""

from collections.abc import Sequence

from antiphon_server.dispatcher.handling import (
    HandlerInfo,
    HandoffOrder,
    HandoffRole,
    LossPolicy,
    Order,
    PastCall,
    Turn,
    Work,
)
from antiphon_server.dispatcher.model import PEOPLE


class People:
    """Members of the conversation answer; they have a day. What is held its admins look at."""

    @property
    def info(self) -> HandlerInfo:
        """See :attr:`Handler.info`."""
        said = "Has people answer: the turn waits in their queue for a day."
        return HandlerInfo(PEOPLE, said, LossPolicy.RESUME)

    async def check(self, order: Order, workspace_id: str) -> None:
        """See :meth:`Handler.check`; people take whatever there is."""

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """See :meth:`Handler.lost`; it asks nobody."""

    async def run(self, work: Work) -> None:
        """See :meth:`Handler.run`."""
        held = work.turn.order.held
        if held.reason:
            work.hand_off(HandoffOrder(held.reason, HandoffRole.ADMIN))
        work.hand_off(HandoffOrder())
