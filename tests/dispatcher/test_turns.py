"""Turns are accepted once, run in order, can be stopped, and end whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest

from antiphon.events.v1 import event_pb2
from antiphon_server.dispatcher.adapters.memory import MemoryTurnStore
from antiphon_server.dispatcher.model import (
    ConversationView,
    LossPolicy,
    Order,
    Policy,
    State,
    Turn,
)
from antiphon_server.events.model import Offset, Scope
from antiphon_server.runtime.errors import DomainError, Reason
from tests.dispatcher.world import ANNA, CONVERSATION, Reluctant, World, content, turn_id, world

SCOPE = Scope(f"conversations/{CONVERSATION}")


@pytest.fixture
async def it() -> AsyncIterator[World]:
    """A dispatcher with one conversation."""
    async with world() as made:
        yield made


async def test_a_turn_runs_from_its_message_to_its_end(it: World) -> None:
    """Every step is in the log; the answer is the message, its deltas folded into it."""
    dispatched = await it.dispatch(handler="echo")
    turn = await it.ended()
    assert (dispatched.state, turn.state, turn.attempt) == (State.RUNNING, State.SUCCEEDED, 1)
    assert await it.messages() == [("hello big world", False)] * 2
    kinds = await it.kinds()
    assert kinds[:3] == ["message_posted", "turn_accepted", "turn_started"]
    assert kinds[-2:] == ["message_posted", "turn_finished"]
    events = await it.history()
    for before, after in pairwise(events):
        assert after.first_offset == before.last_offset + 1


async def test_the_same_turn_again_is_the_same_turn(it: World) -> None:
    """Dispatching twice posts once, and gives the same cursor, also after the end."""
    first = await it.dispatch()
    again = await it.dispatch()
    it.told.lines.put_nowait(None)
    await it.ended()
    after = await it.dispatch()
    assert first.cursor == again.cursor == after.cursor
    assert after.state is State.SUCCEEDED
    assert len([kind for kind in await it.kinds() if kind == "message_posted"]) == 1


async def test_concurrent_dispatches_of_one_turn_post_once(it: World) -> None:
    """Twenty at once are one."""
    it.told.lines.put_nowait(None)
    cursors = {made.cursor for made in await asyncio.gather(*(it.dispatch() for _ in range(20)))}
    await it.ended()
    assert len(cursors) == 1
    assert (await it.kinds()).count("turn_accepted") == 1


async def test_a_turn_id_with_another_body_is_refused(it: World) -> None:
    """The id is the idempotency key."""
    await it.dispatch(text="one")
    with pytest.raises(DomainError) as caught:
        await it.dispatch(text="two")
    assert caught.value.reason is Reason.REQUEST_ID_REUSED


@pytest.mark.parametrize(
    ("handler", "reason"),
    [("nobody", Reason.HANDLER_NOT_FOUND), ("told", Reason.CONVERSATION_ARCHIVED)],
)
async def test_what_can_not_run_is_refused_and_leaves_nothing(
    it: World, handler: str, reason: Reason
) -> None:
    """A refused dispatch has stored nothing."""
    it.known.views[CONVERSATION] = ConversationView(CONVERSATION, "ws_1", archived=True)
    with pytest.raises(DomainError) as caught:
        await it.dispatch(handler=handler)
    assert caught.value.reason is reason
    assert await it.history() == []
    assert await it.store.get(CONVERSATION, turn_id(1)) is None


async def test_queued_turns_run_one_after_the_other(it: World) -> None:
    """The second says that it waits, and starts after the first has ended."""
    await it.dispatch(1)
    queued = await it.dispatch(2)
    assert queued.state is State.QUEUED
    it.told.lines.put_nowait(None)
    await it.ended(1)
    it.told.lines.put_nowait(None)
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
    with pytest.raises(DomainError) as caught:
        await it.dispatch(2, policy=Policy.REJECT)
    assert caught.value.reason is Reason.TURN_REJECTED
    assert caught.value.metadata == {"running_turn_id": turn_id(1)}
    it.told.lines.put_nowait(None)
    await it.ended(1)
    await it.dispatch(2, policy=Policy.REJECT)


@pytest.mark.parametrize("policy", [Policy.INTERRUPT, Policy.ROLLBACK])
async def test_interrupt_stops_what_runs_and_keeps_its_text(it: World, policy: Policy) -> None:
    """The new turn runs after the old one has ended; rollback marks the old one."""
    await it.dispatch(1)
    it.told.lines.put_nowait("partial")
    await it.delivered("partial")
    await it.dispatch(2, policy=policy)
    first = await it.ended(1)
    it.told.lines.put_nowait(None)
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


async def test_a_lane_is_bounded(it: World) -> None:
    """Turn 101 is refused, and nothing of it is stored."""
    for number in range(1, 101):
        await it.dispatch(number)
    with pytest.raises(DomainError) as caught:
        await it.dispatch(101)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert await it.store.get(CONVERSATION, turn_id(101)) is None


async def test_cancel_before_dispatch_ends_the_turn_when_it_comes(it: World) -> None:
    """Its message is not posted; cancelling and dispatching again changes nothing."""
    assert (await it.cancel()).state is State.CANCELLED
    assert (await it.cancel()).state is State.CANCELLED
    late = await it.dispatch()
    again = await it.dispatch()
    assert late.state is again.state is State.CANCELLED
    assert await it.kinds() == ["turn_finished"]
    assert not it.told.running.is_set()


async def test_cancel_before_the_first_text_leaves_no_answer(it: World) -> None:
    """Only the question is there; the handler was cancelled."""
    await it.dispatch()
    await it.told.running.wait()
    turn = await it.cancel()
    assert (turn.state, turn.has_reply, it.told.cancelled) == (State.CANCELLED, False, 1)
    assert await it.messages() == [("hello big world", False)]


async def test_cancel_in_mid_stream_keeps_exactly_what_was_delivered(it: World) -> None:
    """The stored text is the concatenation of the deltas that were committed."""
    await it.dispatch()
    follow = asyncio.create_task(_deltas(it))
    for number in range(50):
        it.told.lines.put_nowait(f"word{number} ")
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    turn = await it.cancel()
    delivered = await follow
    assert turn.state is State.CANCELLED
    assert (await it.messages())[-1] == (delivered, True)
    assert delivered


async def _deltas(it: World) -> str:
    """Follow the log as a client does until the turn ends; returns the text of the deltas."""
    text, position = "", Offset(0)
    async with asyncio.timeout(5):
        while True:
            page = await it.log.read(SCOPE, position, 1000)
            for record in page.records:
                event = event_pb2.Event.FromString(record.wire)
                text += event.text_delta_appended.text
                if event.HasField("turn_finished"):
                    return text
            position = page.position
            await asyncio.sleep(0)


async def test_cancel_after_the_end_changes_nothing(it: World) -> None:
    """The turn stays as it ended."""
    await it.dispatch(handler="echo")
    ended = await it.ended()
    before = await it.kinds()
    assert (await it.cancel()).state is ended.state is State.SUCCEEDED
    assert await it.kinds() == before


async def test_cancel_of_a_queued_turn_does_not_wait_for_the_others(it: World) -> None:
    """It ends at once, its message stays, the running one goes on."""
    await it.dispatch(1)
    await it.dispatch(2)
    assert (await it.cancel(2)).state is State.CANCELLED
    assert (await it.turns.get(CONVERSATION, turn_id(1))).state is State.RUNNING
    assert (await it.kinds(2))[-1] == "turn_finished"


async def test_many_cancels_at_any_moment_end_the_turn_once(it: World) -> None:
    """Cancelled at 200 different moments: one end each, nothing after it, no ghost text."""
    for number in range(1, 201):
        dispatching = asyncio.create_task(it.dispatch(number, "echo", text="a b c d e f g"))
        for _ in range(number % 23):
            await asyncio.sleep(0)
        await it.cancel(number)
        await dispatching
        await it.ended(number)
        kinds = await it.kinds(number)
        assert kinds.count("turn_finished") == 1
        assert kinds[-1] == "turn_finished"


async def test_a_failing_handler_fails_the_turn_and_keeps_its_text(it: World) -> None:
    """The reason is typed; an unexpected failure says nothing of itself."""
    await it.dispatch(1)
    it.told.lines.put_nowait("so far")
    it.told.lines.put_nowait(DomainError(Reason.MODEL_TIMEOUT, model="m", timeout_ms=5))
    failed = await it.ended(1)
    await it.dispatch(2)
    it.told.lines.put_nowait(ValueError("secret"))
    broken = await it.ended(2)
    assert failed.outcome is not None
    assert failed.outcome.error is not None
    assert (failed.state, failed.outcome.error.reason) == (State.FAILED, Reason.MODEL_TIMEOUT)
    assert ("so far", True) in await it.messages()
    assert broken.outcome is not None
    assert broken.outcome.error is not None
    assert broken.outcome.error.reason is Reason.INTERNAL
    assert "secret" not in str(await it.history())


async def test_a_turn_expires_at_its_limit(it: World) -> None:
    """What was delivered is kept."""
    await it.dispatch(time_limit_s=0.05)
    it.told.lines.put_nowait("partial")
    turn = await it.ended()
    assert turn.state is State.EXPIRED
    assert turn.outcome is not None
    assert turn.outcome.error is not None
    assert turn.outcome.error.metadata == {"limit_ms": "50"}
    assert (await it.messages())[-1] == ("partial", True)


async def test_a_lost_turn_is_resumed_where_its_text_ends(it: World) -> None:
    """The next attempt is told what was delivered, and one message results."""
    await it.dispatch()
    it.told.lines.put_nowait("first half, ")
    await it.delivered("first half, ")
    await it.turns.drain(0.0)
    assert (await it.kinds())[-1] == "text_delta_appended"
    async with world(it.store, it.log) as next_life:
        assert await next_life.leases.adopt_orphans(own=True) == 1
        next_life.told.lines.put_nowait("second half")
        next_life.told.lines.put_nowait(None)
        turn = await next_life.ended()
        assert next_life.told.resumed == ["first half, "]
        assert (turn.state, turn.attempt) == (State.SUCCEEDED, 2)
        assert (await next_life.messages())[-1] == ("first half, second half", False)


async def test_a_lost_turn_that_can_not_be_resumed_fails_with_its_text(it: World) -> None:
    """Nothing that was seen is lost, and subscribers see why it ended."""
    await it.dispatch(handler="fragile")
    it.fragile.lines.put_nowait("half")
    await it.delivered("half")
    await it.turns.drain(0.0)
    async with world(it.store, it.log) as next_life:
        await next_life.leases.adopt_orphans(own=True)
        turn = await next_life.ended()
        assert turn.outcome is not None
        assert turn.outcome.error is not None
        assert (turn.state, turn.outcome.error.reason) == (State.FAILED, Reason.TURN_LOST)
        assert (await next_life.messages())[-1] == ("half", True)


async def test_a_turn_that_ended_in_the_log_is_not_run_again(it: World) -> None:
    """A crash between the log's commit and the store's: the log's word counts."""
    await it.dispatch(handler="echo")
    turn = await it.ended()
    await it.store.put(replace(turn, state=State.RUNNING, outcome=None, ended_us=0))
    before = await it.kinds()
    async with world(it.store, it.log) as next_life:
        await next_life.leases.adopt_orphans(own=True)
        assert (await next_life.ended()).state is State.SUCCEEDED
        assert await next_life.kinds() == before


async def test_a_turn_that_was_stored_but_not_posted_is_posted(it: World) -> None:
    """A crash between the store's commit and the log's: the message is not lost."""
    order = Order(content("hello"), "echo", Policy.QUEUE)
    turn = Turn(turn_id(7), CONVERSATION, ANNA.actor, 7, b"digest", order, node="node")
    await it.store.add(replace(turn, state=State.RUNNING, attempt=1, at_once=True))
    await it.leases.adopt_orphans(own=True)
    assert (await it.ended(7)).state is State.SUCCEEDED
    assert await it.messages() == [("hello", False)] * 2


async def test_a_waiting_turn_waits_on_though_the_clock_was_set_back(it: World) -> None:
    """The one that runs is taken up first, even if it seems to be the younger."""
    await it.dispatch(2)
    await it.dispatch(1)
    waiting = await it.store.get(CONVERSATION, turn_id(1))
    assert waiting is not None
    await it.turns.drain(0.0)
    await it.store.put(replace(waiting, created_us=1))
    async with world(it.store, it.log) as next_life:
        await next_life.leases.adopt_orphans(own=True)
        await next_life.told.running.wait()
        assert (await next_life.turns.get(CONVERSATION, turn_id(1))).state is State.QUEUED
        for number in (2, 1):
            next_life.told.lines.put_nowait(None)
            await next_life.ended(number)


async def test_waiting_turns_are_taken_up_in_order(it: World) -> None:
    """After a restart the queue is as it was."""
    for number in (1, 2, 3):
        await it.dispatch(number)
    await it.turns.drain(0.0)
    async with world(it.store, it.log) as next_life:
        assert await next_life.leases.adopt_orphans(own=True) == 3
        for number in (1, 2, 3):
            next_life.told.lines.put_nowait(None)
            assert (await next_life.ended(number)).state is State.SUCCEEDED
        events = await next_life.history()
        ends = [e.turn_id for e in events if e.HasField("turn_finished")]
        assert ends == [turn_id(1), turn_id(2), turn_id(3)]


async def test_a_replaced_attempt_writes_nothing_more(it: World) -> None:
    """Two nodes with the same turn: the older one is fenced out, in mid-stream."""
    await it.dispatch()
    it.told.lines.put_nowait("old ")
    await it.delivered("old ")
    async with world(it.store, it.log) as other:
        stored = await other.store.get(CONVERSATION, turn_id(1))
        assert stored is not None
        await other.recovery.adopt(stored)
        await other.told.running.wait()
        it.told.lines.put_nowait("zombie ")
        it.told.lines.put_nowait(None)
        zombie = [task for task in it.tasks if task.get_name() == f"turn {turn_id(1)}"]
        await asyncio.wait(zombie, timeout=5)
        other.told.lines.put_nowait("new")
        other.told.lines.put_nowait(None)
        assert (await other.ended()).attempt == 2
        assert (await other.messages())[-1] == ("old new", False)
        assert "zombie" not in str(await other.history())


async def test_a_turn_is_known_for_ever(it: World) -> None:
    """Also when the log has forgotten the request ids: nothing is posted again."""
    first = await it.dispatch(handler="echo")
    await it.ended()
    await it.cancel(2)
    tombstone = await it.dispatch(2)
    before = await it.kinds()
    await it.log_store.forget_requests(2**60)
    again = await it.dispatch(handler="echo")
    assert (again.state, again.cursor) == (State.SUCCEEDED, first.cursor)
    assert await it.dispatch(2) == tombstone
    assert await it.kinds() == before


async def test_an_answer_that_is_too_long_fails_the_turn(it: World) -> None:
    """What fits is kept; the turn ends and does not come back."""
    await it.dispatch()
    for _ in range(7):
        it.told.lines.put_nowait("x" * 100_000)
    turn = await it.ended()
    assert turn.outcome is not None
    assert turn.outcome.error is not None
    assert (turn.state, turn.outcome.error.reason) == (State.FAILED, Reason.LIMIT_EXCEEDED)
    assert (await it.messages())[-1] == ("x" * 600_000, True)


async def test_cancelling_a_turn_that_nobody_works_on_ends_it(it: World) -> None:
    """Let go, or left by an earlier life: the wish is kept, the handler does not run."""
    await it.dispatch()
    it.told.lines.put_nowait("half")
    await it.delivered("half")
    await it.turns.drain(0.0)
    async with world(it.store, it.log) as next_life:
        assert (await next_life.cancel()).state is State.CANCELLED
        assert await next_life.leases.adopt_orphans(own=True) == 0
        assert next_life.told.resumed == []
        assert (await next_life.messages())[-1] == ("half", True)


async def test_a_wish_to_cancel_another_nodes_turn_is_kept_for_the_next_holder(it: World) -> None:
    """Nothing more is delivered, and the turn ends as CANCELLED when it is taken over."""
    await it.dispatch()
    it.told.lines.put_nowait("half")
    await it.delivered("half")
    await it.turns.drain(0.0)
    stored = await it.store.get(CONVERSATION, turn_id(1))
    assert stored is not None
    await it.store.put(replace(stored, node="another"))
    async with world(it.store, it.log) as next_life:
        assert (await next_life.cancel()).state is State.RUNNING
        kept = await next_life.store.get(CONVERSATION, turn_id(1))
        assert kept is not None
        await next_life.recovery.adopt(kept)
        assert (await next_life.ended()).state is State.CANCELLED
        assert next_life.told.resumed == []


async def test_a_stop_is_kept_when_the_server_stops_too(it: World) -> None:
    """Draining lets go of turns, but not of one that somebody has stopped."""
    await it.dispatch()
    it.told.lines.put_nowait("half")
    await it.delivered("half")
    stopping = asyncio.create_task(it.cancel())
    await asyncio.sleep(0)
    await it.turns.drain(0.0)
    assert (await stopping).state is State.CANCELLED
    assert (await it.kinds())[-1] == "turn_finished"


async def test_rolling_back_a_turn_that_is_being_cancelled_counts() -> None:
    """The stronger wish wins as long as the handler has not let go."""
    slow = Reluctant("slow", LossPolicy.FAIL)
    async with world(more=[slow]) as it:
        await it.dispatch(1, handler="slow")
        await slow.running.wait()
        stopping = asyncio.create_task(it.cancel(1))
        await asyncio.sleep(0)
        await it.dispatch(2, policy=Policy.ROLLBACK)
        slow.may_go.set()
        turn = await stopping
        assert turn.outcome is not None
        assert turn.outcome.rolled_back


async def test_nothing_is_accepted_while_draining(it: World) -> None:
    """The client is told to come back; nothing was stored."""
    await it.turns.drain(0.0)
    with pytest.raises(DomainError) as caught:
        await it.dispatch()
    assert caught.value.reason is Reason.DRAINING
    assert await it.store.get(CONVERSATION, turn_id(1)) is None


class SlowToSay(MemoryTurnStore):
    """A store that has a turn before it says so, as one on another thread does."""

    def __init__(self) -> None:
        super().__init__()
        self.added = asyncio.Event()
        self.say = asyncio.Event()

    async def add(self, turn: Turn) -> Turn:
        stored = await super().add(turn)
        self.added.set()
        await self.say.wait()
        return stored


async def test_a_turn_whose_caller_goes_while_it_is_stored_runs_all_the_same() -> None:
    """A connection that breaks in the moment of the commit leaves no turn that nobody works on."""
    store = SlowToSay()
    async with world(store) as it:
        calling = asyncio.create_task(it.dispatch(handler="echo"))
        await store.added.wait()
        calling.cancel()
        await asyncio.sleep(0)
        store.say.set()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert (await it.ended()).state is State.SUCCEEDED
        assert (await it.dispatch(handler="echo")).state is State.SUCCEEDED
