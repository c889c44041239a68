"""A server dies between any two steps of a turn with calls of tools, once or several times."""

import asyncio
import contextlib
import random
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from antiphon.events.v1 import event_service_pb2
from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.handling import AskedCall
from antiphon_server.dispatcher.model import State, ToolCallDecided, ToolCallId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.dispatcher.callers import Caller, Toolbox, call
from tests.dispatcher.test_questions import answer, asked
from tests.dispatcher.world import CONVERSATION, World, turn_id, world
from tests.e2e.until import SOON_S

REPEATABLE = AskedCall(call(3), repeatable=True)
ASKED = [
    AskedCall(call(1)),
    AskedCall(call(2), asks=True),
    REPEATABLE,
    AskedCall(call(4, step=2), asks=True),
    AskedCall(call(5, step=2)),
    AskedCall(call(6, step=2)),
]
PAUSING = {call(1).call_id: [2], call(6).call_id: [1, 2]}
"""How many questions these ask, in each of their rounds."""
LIVES = 4


class Dying:
    """A journal's appends, of which one does not come back; nor does any after it.

    ``committed``: it is in the log all the same.
    """

    def __init__(self, journal: EventLogJournal, at: int, *, committed: bool) -> None:
        self._append = journal._append_once
        self._at = at
        self._committed = committed
        self._count = 0
        self.dead = asyncio.Event()
        journal._append_once = self  # type: ignore[method-assign]

    async def __call__(
        self, request: event_service_pb2.AppendRequest
    ) -> event_service_pb2.AppendResponse:
        self._count += 1
        if self._count < self._at and not self.dead.is_set():
            return await self._append(request)
        if self._count == self._at and self._committed:
            await self._append(request)
        self.dead.set()
        raise DomainError(Reason.FENCED)


async def decide_all(it: World) -> None:
    """Approve and answer what waits, again and again."""
    while True:
        for event in await it.history():
            if event.tool_call_proposed.asks:
                proposed = event.tool_call_proposed
                wish = ToolCallDecided(ToolCallId(proposed.tool_call_id), True, "users/user_ben")
                with contextlib.suppress(DomainError):
                    digest = proposed.arguments_sha256
                    await it.decisions.decide(CONVERSATION, turn_id(1), wish, digest)
        for number in range(len(await asked(it))):
            with contextlib.suppress(DomainError):
                await answer(it, number)
        await asyncio.sleep(0.001)


async def _over(dying: Dying | None) -> None:
    """A life has ended; the last one has time."""
    await (dying.dead.wait() if dying else asyncio.sleep(SOON_S))


async def lives(seed: int, stack: AsyncExitStack, tools: Toolbox) -> World:
    """Lives that each die at some append, but for the last one, in which the turn ends."""
    chance = random.Random(seed)
    caller = Caller(lambda: ASKED, tools)
    it = await stack.enter_async_context(world(more=[caller]))
    first = it
    for life in range(LIVES):
        journal = it.recovery._journal
        assert isinstance(journal, EventLogJournal)
        deciding = asyncio.create_task(decide_all(it))
        if life < LIVES - 1:
            dying = Dying(journal, chance.randint(1, 12), committed=chance.random() < 0.5)
            over = asyncio.create_task(_over(dying))
        else:
            over = asyncio.create_task(_over(None))
        if life == 0:
            with contextlib.suppress(DomainError):
                await it.dispatch(handler="caller")
        else:
            await it.adopted()
        ended = asyncio.create_task(it.ended())
        await asyncio.wait([over, ended], return_when=asyncio.FIRST_COMPLETED)
        done = ended.done()
        for task in (deciding, over, ended):
            task.cancel()
        await asyncio.gather(deciding, over, ended, return_exceptions=True)
        if done:
            break
        await it.turns.drain(0.0)
        it = await stack.enter_async_context(world(first.database, first.log, more=[caller]))
    return it


@pytest.mark.parametrize("seeds", [range(first, first + 15) for first in range(0, 60, 15)], ids=str)
async def test_no_tool_runs_twice_and_no_result_is_lost(seeds: range) -> None:
    """Whatever dies where: each call ends once, and only what may be repeated is."""
    for seed in seeds:
        tools = Toolbox(pausing=PAUSING)
        async with AsyncExitStack() as stack:
            it = await lives(seed, stack, tools)
            stored = await it.store.get(CONVERSATION, turn_id(1))
            if stored is None:  # it died before it was stored
                continue
            turn = await it.ended()
            twice = {call_id for call_id, count in tools.runs.items() if count > 1}
            assert twice <= {REPEATABLE.call.call_id}, seed
            events = await it.history()
            ends = Counter(
                event.tool_call_finished.tool_call_id
                for event in events
                if event.HasField("tool_call_finished")
            )
            started = {
                event.tool_call_started.tool_call_id
                for event in events
                if event.HasField("tool_call_started")
            }
            assert set(ends.values()) <= {1}, seed
            assert started <= set(ends), seed
            assert {leg.rstrip(".") for leg in tools.runs} <= started, seed
            if turn.state is State.SUCCEEDED:
                assert len(ends) == len(ASKED), seed
            else:
                assert turn.outcome is not None
                assert turn.outcome.error is not None
                assert turn.outcome.error.reason is Reason.TURN_LOST, seed
