"""Turns that ask for turns, stopped at the root."""

import asyncio
from collections.abc import Sequence

from antiphon_server.dispatcher.handling import (
    Child,
    HandlerInfo,
    LossPolicy,
    Order,
    PastCall,
    Turn,
    Work,
)
from antiphon_server.dispatcher.model import State
from tests.dispatcher.world import content, turn_id, world
from tests.e2e.until import until

LEVELS = 3


class Sower:
    """Asks for one turn below it, three levels deep; one that was stopped lets go when it may."""

    info = HandlerInfo("sower", "", LossPolicy.FAIL)

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.stopped: list[int] = []
        self.may_go = asyncio.Event()

    async def check(self, order: Order) -> None:
        """It takes anything."""

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """It has nothing elsewhere."""

    async def run(self, work: Work) -> None:
        parent = work.turn.order.parent
        level = parent.depth if parent is not None else 0
        self.begun.append(level)
        try:
            if level + 1 < LEVELS:
                await work.delegate(Child(turn_id(level + 2), "sower", content("go"), 60.0))
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped.append(level)
            await self.may_go.wait()
            raise


async def test_a_stop_reaches_all_below_before_the_root_has_ended() -> None:
    """None waits for the end of the one above it to be committed."""
    sower = Sower()
    async with world(more=[sower]) as it:
        await it.dispatch(handler="sower")
        await until(lambda: len(sower.begun) == LEVELS)
        stopping = asyncio.ensure_future(it.cancel())
        await until(lambda: sorted(sower.stopped) == [0, 1, 2], timeout_s=5.0)
        sower.may_go.set()
        assert (await stopping).state is State.CANCELLED
        assert {(await it.ended(number)).state for number in (1, 2, 3)} == {State.CANCELLED}
