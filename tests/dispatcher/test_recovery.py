"""Turns of a life before, or of another node, are taken up where they were."""

import asyncio
import time
from dataclasses import replace

import pytest

from antiphon_server.dispatcher.model import ConversationId, Order, Policy, State, Turn
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from tests.dispatcher.world import CONVERSATION, World, a_turn, content, looking, turn_id, world


def later() -> float:
    """When leases of now have run out."""
    return time.time() + 20


async def test_a_lost_turn_is_resumed_where_its_text_ends(it: World) -> None:
    """The next attempt is told what was delivered, and one message results."""
    await it.said("first half, ")
    await it.turns.drain(0.0)
    assert (await it.kinds())[-1] == "text_delta_appended"
    async with world(it.database, it.log) as next_life:
        assert await next_life.adopted() == 1
        next_life.told.say("second half", None)
        turn = await next_life.ended()
        assert next_life.told.resumed == ["first half, "]
        assert (turn.state, turn.attempt) == (State.SUCCEEDED, 2)
        assert (await next_life.messages())[-1] == ("first half, second half", False)


async def test_a_lost_turn_that_can_not_be_resumed_fails_with_its_text(it: World) -> None:
    """Nothing that was seen is lost, and subscribers see why it ended."""
    await it.said("half", "fragile")
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as next_life:
        await next_life.adopted()
        assert (await next_life.failed()).reason is Reason.TURN_LOST
        assert (await next_life.messages())[-1] == ("half", True)
        assert next_life.fragile.losses == ["half"]


async def test_who_can_not_be_told_of_a_loss_keeps_no_turn_from_its_end(it: World) -> None:
    """One who is away is told again; one who fails is not."""
    await it.said("half", "fragile")
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as next_life:
        next_life.fragile.deaf += [DomainError(Reason.INTERNAL), unavailable("integration")]
        await next_life.adopted()
        assert (await next_life.failed()).reason is Reason.TURN_LOST
        assert next_life.fragile.losses == ["half"] * 2


async def test_a_turn_that_ended_in_the_log_is_not_run_again(it: World) -> None:
    """A crash between the log's commit and the store's: the log's word counts."""
    await it.dispatch(handler="echo")
    turn = await it.ended()
    assert isinstance(turn, Turn)
    await it.arrange(replace(turn, state=State.RUNNING, outcome=None, ended_us=0))
    before = [kind for kind in await it.kinds() if kind != "text_delta_appended"]
    async with world(it.database, it.log) as next_life:
        await next_life.adopted()
        assert (await next_life.ended()).state is State.SUCCEEDED
        assert await next_life.kinds() == before  # its text is folded, if it was not yet


async def test_a_turn_that_was_stored_but_not_posted_is_posted(it: World) -> None:
    """A crash between the store's commit and the log's: the message is not lost."""
    order = Order(content("hello"), "echo", Policy.QUEUE)
    running = {"node": "node", "state": State.RUNNING, "attempt": 1, "at_once": True}
    await it.store.add(a_turn(7, order=order, **running))
    await it.adopted()
    assert (await it.ended(7)).state is State.SUCCEEDED
    assert await it.messages() == [("hello", False)] * 2


async def test_a_waiting_turn_waits_on_though_the_clock_was_set_back(it: World) -> None:
    """The one that runs is taken up first, even if it seems to be the younger."""
    await it.dispatch(2)
    await it.dispatch(1)
    waiting = await it.store.get(CONVERSATION, turn_id(1))
    assert isinstance(waiting, Turn)
    await it.turns.drain(0.0)
    await it.arrange(replace(waiting, created_us=1))
    async with world(it.database, it.log) as next_life:
        await next_life.adopted()
        await next_life.told.running.wait()
        assert (await next_life.turns.get(CONVERSATION, turn_id(1))).state is State.QUEUED
        for number in (2, 1):
            next_life.told.say(None)
            await next_life.ended(number)


async def test_waiting_turns_are_taken_up_in_order(it: World) -> None:
    """After a restart the queue is as it was."""
    for number in (1, 2, 3):
        await it.dispatch(number)
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as next_life:
        assert await next_life.adopted() == 3
        for number in (1, 2, 3):
            next_life.told.say(None)
            assert (await next_life.ended(number)).state is State.SUCCEEDED
        events = await next_life.history()
        ends = [e.turn_id for e in events if e.HasField("turn_finished")]
        assert ends == [turn_id(1), turn_id(2), turn_id(3)]


async def test_a_replaced_attempt_writes_nothing_more(it: World) -> None:
    """Two nodes with the same turn: the older one is fenced out, in mid-stream."""
    await it.said("old ")
    async with world(it.database, it.log) as other:
        stored = await other.store.get(CONVERSATION, turn_id(1))
        assert isinstance(stored, Turn)
        await other.recovery.adopt(stored)
        await other.told.running.wait()
        it.told.say("zombie ", None)
        zombie = [task for task in it.tasks if task.get_name() == f"turn {turn_id(1)}"]
        await asyncio.wait(zombie, timeout=5)
        other.told.say("new", None)
        assert (await other.ended()).attempt == 2
        assert (await other.messages())[-1] == ("old new", False)
        assert "zombie" not in str(await other.history())


async def test_who_has_lost_its_turns_begins_none_of_them() -> None:
    """A node that stood still while another took its turns over writes nothing more."""
    async with world(node="slow") as slow:
        await slow.dispatch(1, handler="fragile")
        await slow.dispatch(2)
        await slow.fragile.running.wait()
        async with world(slow.database, slow.log, clock=later, node="new") as new:
            assert await new.adopted(own=False) == 2
            new.told.say("new")
            await new.delivered("new")
            await slow.let_go(1, slow.fragile)  # it is fenced, so the next one comes up
            await slow.let_go(2, slow.told)
            new.told.say(None)
            turn = await new.ended(2)
            assert (turn.node, turn.attempt) == ("new", 1)
            assert "late" not in str(await new.history())


@pytest.mark.parametrize("number", [1, 2])
async def test_who_has_lost_a_turn_can_not_end_it(number: int) -> None:
    """Nor one that waits; who has it now goes on with it."""
    async with world(node="slow") as slow:
        await slow.dispatch(1)
        await slow.dispatch(2)
        await slow.told.running.wait()
        async with world(slow.database, slow.log, clock=later, node="new") as new:
            assert await new.adopted(own=False) == 2
            await new.told.running.wait()
            assert (await slow.cancel(number)).state is not State.CANCELLED
            for each in (1, 2):
                new.told.say("whole", None)
                assert (await new.ended(each)).state is State.SUCCEEDED
            assert [text for text, _ in await new.messages()][-2:] == ["whole", "whole"]


async def test_nobody_writes_behind_the_text_that_is_gone_on_with() -> None:
    """Who had the turn is kept out before the next one looks how far it got."""
    async with world(node="slow") as slow:
        await slow.dispatch()
        await slow.told.running.wait()
        async with world(slow.database, slow.log, clock=later, node="new") as new:
            looked, go_on = looking(new)
            adopting = asyncio.create_task(new.adopted(own=False))
            await looked.wait()
            await slow.let_go(1, slow.told)
            go_on.set()
            await adopting
            new.told.say("whole", None)
            await new.ended()
            assert (await new.messages())[-1] == ("whole", False)
            assert "late" not in str(await new.history())


async def test_only_who_asks_of_a_conversation_waits_for_its_turns(it: World) -> None:
    """However long it takes to go on with others' turns."""
    await it.dispatch()
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as next_life:
        looked, go_on = looking(next_life)
        adopting = asyncio.create_task(next_life.adopted())
        await looked.wait()
        own = asyncio.create_task(next_life.adoptions.settled(CONVERSATION))
        async with asyncio.timeout(1):
            await next_life.adoptions.settled(ConversationId("conv_00000002"))
        assert not own.done()
        go_on.set()
        await own
        assert (await next_life.turns.get(CONVERSATION, turn_id(1))).state is State.RUNNING
        await adopting
