"""Who gets a turn at once, who waits, and who is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from antiphon_server.dispatcher.handling import Work
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import (
    ConversationId,
    ConversationView,
    LossPolicy,
    Order,
    Policy,
    State,
    StoredTurn,
    TurnAssigned,
    TurnId,
)
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.stand_ins import SlowStore, SlowToSay, Told
from tests.dispatcher.world import ANNA, CONVERSATION, World, content, turn_id, world
from tests.e2e.refusals import Refused
from tests.e2e.until import SOON_S


@asynccontextmanager
async def second_in_line(
    database: Database,
) -> AsyncIterator[tuple[World, Callable[[], Awaitable[StoredTurn]]]]:
    """A dispatch that waits for the one before, and what calls for its outcome."""
    store = SlowToSay(database)
    async with world(database, store=store) as it:
        first = asyncio.create_task(it.dispatch(1, policy=Policy.PARALLEL))
        await store.added.wait()
        second = asyncio.create_task(it.dispatch(2, policy=Policy.PARALLEL))
        await asyncio.sleep(0.01)

        async def outcome() -> StoredTurn:
            store.say.set()
            await first
            return await second

        yield it, outcome


async def test_who_was_removed_while_waiting_posts_nothing(database: Database) -> None:
    """What was allowed is asked again when the wait is over."""
    async with second_in_line(database) as (it, outcome):
        it.door.closed = True
        with Refused(Reason.NOT_FOUND):
            await outcome()
        assert await it.kinds(2) == []


async def test_what_was_archived_while_a_dispatch_waited_stays_so(database: Database) -> None:
    """The same with a conversation that takes no more messages."""
    async with second_in_line(database) as (it, outcome):
        it.known.views[CONVERSATION] = replace(it.known.views[CONVERSATION], archived=True)
        with Refused(Reason.CONVERSATION_ARCHIVED):
            await outcome()


async def test_a_stop_waits_for_no_dispatch(database: Database) -> None:
    """A running turn is stopped while others stand in line."""
    store = SlowStore(database)
    async with world(database, store=store) as it:
        await it.dispatch(1, policy=Policy.PARALLEL)
        await it.told.running.wait()
        store.delay_s = 0.2
        line = [asyncio.create_task(it.dispatch(n, policy=Policy.PARALLEL)) for n in range(2, 12)]
        await asyncio.sleep(0.01)
        stopping = asyncio.create_task(it.cancel(1))
        await it.seen("turn_finished")
        assert not line[-1].done()
        assert (await stopping).state is State.CANCELLED
        for waiting in line:
            waiting.cancel()
        await asyncio.wait(line)


async def test_a_line_has_an_end(database: Database) -> None:
    """Who would be one too many is told to come again."""
    store = SlowStore(database)
    async with world(database, store=store, limits=TurnLimits(waiting=3)) as it:
        store.delay_s = 0.1
        line = [asyncio.create_task(it.dispatch(n, policy=Policy.PARALLEL)) for n in range(1, 6)]
        await asyncio.wait(line)
        refused = [one.exception() for one in line]
        assert refused[:4] == [None] * 4
        assert isinstance(refused[4], DomainError)
        assert refused[4].reason is Reason.OVERLOADED


async def test_a_turn_that_waits_for_its_place_is_queued() -> None:
    """It does not say that it runs while as many run as can, and its time has not begun."""
    async with world(limits=TurnLimits(running=1)) as it:
        await it.dispatch(1, handler="fragile", policy=Policy.PARALLEL)
        await it.fragile.running.wait()
        second = await it.dispatch(2, policy=Policy.PARALLEL)
        assert second.state is State.QUEUED
        it.fragile.say(None)
        await it.state(2, State.RUNNING)


async def test_nobody_takes_all_turns(database: Database) -> None:
    """One user has a part of them at most, in all conversations; what has ended is no part."""
    store = SlowStore(database)
    async with world(database, store=store, limits=TurnLimits(of_user=2)) as it:
        await it.dispatch(1)
        await it.dispatch(2)
        with Refused(Reason.LIMIT_EXCEEDED):
            await it.dispatch(3)
        assert (await it.dispatch(2)).state is State.QUEUED
        store.delay_s = 0.2
        it.told.say(None)
        await it.seen("turn_finished")
        await it.dispatch(3)


@pytest.mark.parametrize("policy", [Policy.QUEUE, Policy.REJECT])
async def test_who_has_seen_an_end_may_begin_the_next_turn(policy: Policy) -> None:
    """The log has the end before its writer hears of that: whoever is quicker is not refused."""
    async with world(limits=TurnLimits(of_user=1)) as it:
        await it.dispatch(1)
        append = it.events.Append

        async def late(*request: Any, **options: Any) -> Any:
            appended = await append(*request, **options)
            await asyncio.sleep(0.2)
            return appended

        it.events.Append = late  # type: ignore[assignment]
        it.told.say(None)
        await it.seen("turn_finished")
        await it.dispatch(2, policy=policy)


async def test_a_burst_passes_no_limit(database: Database) -> None:
    """Turns that are on their way into the store count: for their user, and for the server."""
    store = SlowStore(database)
    async with world(database, store=store, limits=TurnLimits(running=4, of_user=6)) as it:
        store.delay_s = 0.05
        conversations = [ConversationId(f"conv_{number:08}") for number in range(8)]
        for one in conversations:
            it.known.views[one] = ConversationView(one, "ws_00000001")
        order = Order(content("go"), "told", Policy.QUEUE)
        burst = [
            asyncio.create_task(it.turns.dispatch(ANNA, one, turn_id(at), order, b"x"))
            for at, one in enumerate(conversations)
        ]
        await asyncio.wait(burst)
        states = [one.result().state for one in burst if one.exception() is None]
        assert states == [State.RUNNING] * 4 + [State.QUEUED] * 2


async def test_a_turn_that_is_just_coming_gets_its_grace(database: Database) -> None:
    """Draining waits for it as for the others."""
    store = SlowStore(database)
    async with world(database, store=store) as it:
        store.delay_s = 0.05
        coming = asyncio.create_task(it.dispatch(handler="echo"))
        await asyncio.sleep(0.01)
        await it.turns.drain(5.0)
        assert (await it.turns.get(CONVERSATION, turn_id(1))).state is State.SUCCEEDED
        await coming


class _FindsItsWorker(Told):
    """A worker's handler, which has none at first."""

    async def run(self, work: Work) -> None:
        self.running.set()
        await self.lines.get()
        await work.outputs.assign(TurnAssigned("worker_00000001", "it", "1"))
        await self.lines.get()


async def test_a_drain_waits_no_more_for_what_has_found_its_worker(database: Database) -> None:
    """Which goes on with it at another server: the grace is for what nobody else can end."""
    handler = _FindsItsWorker("words", LossPolicy.RESUME)
    async with world(database, more=[handler]) as it:
        await it.dispatch(handler="words")
        await handler.running.wait()
        last = asyncio.Event()
        draining = asyncio.create_task(it.turns.drain(60.0, last.set))
        await asyncio.sleep(0.2)
        assert not last.is_set()
        handler.say("found")
        async with asyncio.timeout(SOON_S):
            await draining
        assert last.is_set()


async def test_a_lane_is_bounded(it: World) -> None:
    """Turn 101 is refused, and nothing of it is stored."""
    for number in range(1, 101):
        await it.dispatch(number)
    with Refused(Reason.LIMIT_EXCEEDED):
        await it.dispatch(101)
    assert await it.store.get(CONVERSATION, turn_id(101)) is None


async def test_nothing_is_accepted_while_draining(it: World) -> None:
    """The client is told to come back; nothing was stored."""
    await it.turns.drain(0.0)
    with Refused(Reason.DRAINING):
        await it.dispatch()
    assert await it.store.get(CONVERSATION, turn_id(1)) is None


async def test_no_conversation_is_made_for_what_is_not_taken_on(it: World) -> None:
    """While draining that holds for a new turn; one that came before is answered."""
    order = Order(content("hello"), "echo", Policy.QUEUE)
    await it.admission.check_unopened(ANNA.actor, turn_id(2), order)
    await it.dispatch(1)
    await it.turns.drain(0.0)
    await it.admission.check_unopened(ANNA.actor, turn_id(1), order)
    for new in (turn_id(2), TurnId("")):
        with Refused(Reason.DRAINING):
            await it.admission.check_unopened(ANNA.actor, new, order)
