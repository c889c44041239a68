"""Turns can be stopped at any moment."""

import asyncio
from dataclasses import replace

from antiphon.events.v1 import event_pb2
from antiphon_server.dispatcher.deltas import MAX_PIECES
from antiphon_server.dispatcher.model import LossPolicy, Policy, State, Turn
from antiphon_server.events.frames import Batch
from antiphon_server.events.model import Offset, Scope
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.limits.share_settings import ShareSettings
from antiphon_server.runtime.limits.shares import Shares
from tests.dispatcher.stand_ins import Reluctant
from tests.dispatcher.world import ANNA, CONVERSATION, Open, World, turn_id, world
from tests.e2e.until import SOON_S, until

SCOPE = Scope(f"conversations/{CONVERSATION}")


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
        it.told.say(f"word{number} ")
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
    async with asyncio.timeout(SOON_S):
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
        await asyncio.sleep(number % 23 * 0.0003)
        await it.cancel(number)
        await dispatching
        await it.ended(number)
        kinds = await it.kinds(number)
        assert kinds.count("turn_finished") == 1
        assert kinds[-1] == "turn_finished"


async def test_cancelling_a_turn_that_nobody_works_on_ends_it(it: World) -> None:
    """Let go, or left by an earlier life: the wish is kept, the handler does not run."""
    await it.said("half")
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as next_life:
        assert (await next_life.cancel()).state is State.CANCELLED
        assert await next_life.adopted() == 0
        assert next_life.told.resumed == []
        assert (await next_life.messages())[-1] == ("half", True)


async def test_a_wish_to_cancel_another_nodes_turn_is_kept_for_the_next_holder(it: World) -> None:
    """Nothing more is delivered, and the turn ends as CANCELLED when it is taken over."""
    await it.said("half")
    await it.turns.drain(0.0)
    stored = await it.store.get(CONVERSATION, turn_id(1))
    assert isinstance(stored, Turn)
    await it.arrange(replace(stored, node="another"))
    async with world(it.database, it.log) as next_life:
        assert (await next_life.cancel()).state is State.RUNNING
        (kept,) = await next_life.store.claim("node", 1 << 60, 1 << 61, own=False)
        await next_life.recovery.adopt(kept)
        assert (await next_life.ended()).state is State.CANCELLED
        assert next_life.told.resumed == []


async def test_a_stop_is_kept_when_the_server_stops_too(it: World) -> None:
    """Draining lets go of turns, but not of one that somebody has stopped."""
    await it.said("half")
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


async def test_a_stop_waits_for_no_share() -> None:
    """Text that waits until its user may commit again is dropped, and nothing of it is seen."""
    shares = Shares(ShareSettings(user=0.001))
    async with world(shares=shares) as it:
        await it.dispatch()
        await shares.call("users/user_other000", 0.001)
        await shares.call(ANNA.actor, 1.0)
        it.told.say("never seen")
        await it.told.running.wait()
        await until(lambda: shares.waiting > 0)
        async with asyncio.timeout(SOON_S):  # of which the text would wait ninety
            assert (await it.cancel()).state is State.CANCELLED
        assert "text_delta_appended" not in await it.kinds()


async def test_an_end_waits_for_no_share() -> None:
    """What waited goes out with it."""
    shares = Shares(ShareSettings(user=0.001))
    async with world(shares=shares) as it:
        await it.dispatch()
        await shares.call("users/user_other000", 0.001)
        await shares.call(ANNA.actor, 1.0)
        it.told.say("all of it", None)
        await it.state(1, State.SUCCEEDED)
        assert ("all of it", False) in await it.messages()


async def test_while_its_text_waits_a_model_is_not_read_for_ever() -> None:
    """It is let go on when the text is taken."""
    shares = Shares(ShareSettings(user=0.001))
    async with world(shares=shares) as it:
        await it.dispatch()
        await shares.call("users/user_other000", 0.001)
        await shares.call(ANNA.actor, 1.0)
        it.told.say("word ")
        await until(lambda: shares.waiting > 0)
        it.told.say(*["word "] * (2 * MAX_PIECES))
        await asyncio.sleep(0.1)
        assert it.told.heard <= MAX_PIECES
        assert (await it.cancel()).state is State.CANCELLED


async def test_no_text_is_delivered_after_a_stop_has_returned(it: World) -> None:
    """Not to who is behind either: the message that was cut short has taken over its place."""
    late = Subscription(it.log, Open(), ANNA, Pacing())
    await late.create(WatchRequest("w", SCOPE, from_latest=False))
    await it.dispatch()
    it.told.say("all of this was committed ")
    await it.delivered("all of this was committed ")
    await it.cancel()
    kinds, position = [], 0
    async with asyncio.timeout(SOON_S):
        async for frame in late.frames():
            for record in frame.records if isinstance(frame, Batch) else ():
                assert record.first == position + 1
                position = record.last
                kinds.append(event_pb2.Event.FromString(record.wire).WhichOneof("payload"))
            if "turn_finished" in kinds:
                break
    late.close()
    assert "text_delta_appended" not in kinds
    assert (await it.messages())[-1] == ("all of this was committed ", True)
