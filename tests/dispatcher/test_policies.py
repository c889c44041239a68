"""Turns of one conversation: one after the other, instead of another, or beside it."""

import pytest

from antiphon_server.dispatcher.model import Policy, State
from antiphon_server.runtime.errors import Reason
from tests.dispatcher.world import CONVERSATION, World, turn_id
from tests.e2e.refusals import Refused


async def test_queued_turns_run_one_after_the_other(it: World) -> None:
    """The second says that it waits, and starts after the first has ended."""
    await it.dispatch(1)
    queued = await it.dispatch(2)
    assert queued.state is State.QUEUED
    it.told.say(None)
    await it.ended(1)
    it.told.say(None)
    assert (await it.ended(2)).state is State.SUCCEEDED
    assert await it.kinds(2) == [
        "message_posted",
        "turn_accepted",
        "turn_queued",
        "turn_started",
        "turn_finished",
    ]
    starts = [e.turn_id for e in await it.history() if e.HasField("turn_started")]
    assert starts == [turn_id(1), turn_id(2)]


async def test_reject_refuses_while_a_turn_runs(it: World) -> None:
    """And accepts when it has ended; the refused id can be used again."""
    await it.dispatch(1)
    with Refused(Reason.TURN_REJECTED) as caught:
        await it.dispatch(2, policy=Policy.REJECT)
    assert caught.error.metadata == {"running_turn_id": turn_id(1)}
    it.told.say(None)
    await it.ended(1)
    await it.dispatch(2, policy=Policy.REJECT)


@pytest.mark.parametrize("policy", [Policy.INTERRUPT, Policy.ROLLBACK])
async def test_interrupt_stops_what_runs_and_keeps_its_text(it: World, policy: Policy) -> None:
    """The new turn runs after the old one has ended; rollback marks the old one."""
    await it.said("partial")
    await it.dispatch(2, policy=policy)
    first = await it.ended(1)
    it.told.say(None)
    assert (await it.ended(2)).state is State.SUCCEEDED
    assert first.state is State.CANCELLED
    assert first.outcome is not None
    assert first.outcome.rolled_back is (policy is Policy.ROLLBACK)
    assert ("partial", True) in await it.messages()


async def test_parallel_turns_run_beside_each_other(it: World) -> None:
    """The second is started while the first runs."""
    await it.dispatch(1)
    made = await it.dispatch(2, handler="echo", policy=Policy.PARALLEL)
    assert made.state is State.RUNNING
    assert (await it.ended(2)).state is State.SUCCEEDED
    assert (await it.turns.get(CONVERSATION, turn_id(1))).state is State.RUNNING
