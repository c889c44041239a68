"""Turns that ask for turns: which are begun, and how they are stopped at the root."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from antiphon_server.dispatcher.handling import (
    Child,
    ChildEnd,
    HandlerInfo,
    LossPolicy,
    Order,
    PastCall,
    Turn,
    Work,
)
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import State
from antiphon_server.runtime.errors import DomainError, invalid
from tests.dispatcher.world import CONVERSATION, content, turn_id, world
from tests.e2e.until import SOON_S, until

LEVELS = 3


class Sower:
    """Asks for one turn below it, three levels deep; one that was stopped lets go when it may."""

    info = HandlerInfo("sower", "", LossPolicy.FAIL)

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.stopped: list[int] = []
        self.may_go = asyncio.Event()

    async def check(self, order: Order, workspace_id: str) -> None:
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


class Asker:
    """Asks for what it is given, one after the other; each by its id, and what came of it."""

    info = HandlerInfo("asker", "", LossPolicy.FAIL)

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Child] = asyncio.Queue()
        self.came: asyncio.Queue[ChildEnd | DomainError] = asyncio.Queue()

    async def check(self, order: Order, workspace_id: str) -> None:
        """It takes text alone."""
        raise invalid("parts", "asker takes no image")

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """It has nothing elsewhere."""

    async def run(self, work: Work) -> None:
        while True:
            try:
                await self.came.put(await work.delegate(await self.asked.get()))
            except DomainError as error:
                await self.came.put(error)

    async def ask(self, number: int, handler: str = "echo", *kinds: str) -> str:
        """How it ended: what it said, or why it was not begun."""
        child = Child(turn_id(number), handler, content("go"), 60.0, frozenset(kinds))
        await self.asked.put(child)
        end = await asyncio.wait_for(self.came.get(), SOON_S)
        return end.reason.name if isinstance(end, DomainError) else end.text


async def test_a_turn_asks_for_what_anybody_may_ask_for() -> None:
    """What is refused of others, is refused of it; nothing of that is stored."""
    asker = Asker()
    async with world(more=[asker]) as it:
        await it.dispatch(handler="asker")
        assert await asker.ask(2, "nobodys") == "HANDLER_NOT_FOUND"
        assert await asker.ask(2, "asker", "image") == "INVALID_ARGUMENT"
        assert await asker.ask(2, "echo", "image") == "go"
        it.known.views[CONVERSATION] = replace(it.known.views[CONVERSATION], archived=True)
        assert await asker.ask(3) == "CONVERSATION_ARCHIVED"
        assert await it.store.get(CONVERSATION, turn_id(3)) is None
        assert await asker.ask(2) == "go", "it was begun before"
        await it.cancel()


@pytest.mark.parametrize("limits", [TurnLimits(of_conversation=1), TurnLimits(of_user=1)])
async def test_what_a_turn_asks_for_counts_as_others(limits: TurnLimits) -> None:
    """In its conversation, and as its user's."""
    asker = Asker()
    async with world(more=[asker], limits=limits) as it:
        await it.dispatch(handler="asker")
        assert await asker.ask(2) == "LIMIT_EXCEEDED"
        await it.cancel()


async def test_what_a_turn_asks_for_is_begun_while_its_server_stops() -> None:
    """It goes to another server with who asks, and is not refused for good."""
    asker = Asker()
    async with world(more=[asker]) as it:
        await it.dispatch(handler="asker")
        it.admission.close()
        assert await asker.ask(2) == "go"
        await it.cancel()
