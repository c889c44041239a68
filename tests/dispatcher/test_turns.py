"""Turns are accepted once, and end whatever happens."""

import asyncio
from itertools import pairwise

import pytest

from antiphon_server.dispatcher.model import ConversationView, State
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.stand_ins import SlowToSay
from tests.dispatcher.world import CONVERSATION, World, turn_id, world
from tests.e2e.refusals import Refused


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
    it.told.say(None)
    await it.ended()
    after = await it.dispatch()
    assert first.cursor == again.cursor == after.cursor
    assert after.state is State.SUCCEEDED
    assert len([kind for kind in await it.kinds() if kind == "message_posted"]) == 1


async def test_concurrent_dispatches_of_one_turn_post_once(it: World) -> None:
    """Twenty at once are one."""
    it.told.say(None)
    cursors = {made.cursor for made in await asyncio.gather(*(it.dispatch() for _ in range(20)))}
    await it.ended()
    assert len(cursors) == 1
    assert (await it.kinds()).count("turn_accepted") == 1


async def test_a_turn_id_with_another_body_is_refused(it: World) -> None:
    """The id is the idempotency key."""
    await it.dispatch(text="one")
    with Refused(Reason.REQUEST_ID_REUSED):
        await it.dispatch(text="two")


@pytest.mark.parametrize(
    ("handler", "reason"),
    [("nobody", Reason.HANDLER_NOT_FOUND), ("told", Reason.CONVERSATION_ARCHIVED)],
)
async def test_what_can_not_run_is_refused_and_leaves_nothing(
    it: World, handler: str, reason: Reason
) -> None:
    """A refused dispatch has stored nothing."""
    it.known.views[CONVERSATION] = ConversationView(CONVERSATION, "ws_1", archived=True)
    with Refused(reason):
        await it.dispatch(handler=handler)
    assert await it.history() == []
    assert await it.store.get(CONVERSATION, turn_id(1)) is None


async def test_a_failing_handler_fails_the_turn_and_keeps_its_text(it: World) -> None:
    """The reason is typed; an unexpected failure says nothing of itself."""
    await it.dispatch(1)
    it.told.say("so far", DomainError(Reason.MODEL_TIMEOUT, model="m", timeout_ms=5))
    assert (await it.failed(1)).reason is Reason.MODEL_TIMEOUT
    await it.dispatch(2)
    it.told.say(ValueError("secret"))
    assert (await it.failed(2)).reason is Reason.INTERNAL
    assert ("so far", True) in await it.messages()
    assert "secret" not in str(await it.history())


async def test_a_turn_expires_at_its_limit(it: World) -> None:
    """What was delivered is kept."""
    await it.dispatch(time_limit_s=0.05)
    it.told.say("partial")
    assert (await it.failed(state=State.EXPIRED)).metadata == {"limit_ms": "50"}
    assert (await it.messages())[-1] == ("partial", True)


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
    it.told.say(*["x" * 100_000] * 7)
    assert (await it.failed()).reason is Reason.LIMIT_EXCEEDED
    assert (await it.messages())[-1] == ("x" * 600_000, True)


async def test_a_turn_whose_caller_goes_while_it_is_stored_runs_all_the_same(
    database: Database,
) -> None:
    """A connection that breaks in the moment of the commit leaves no turn that nobody works on."""
    store = SlowToSay(database)
    async with world(database, store=store) as it:
        calling = asyncio.create_task(it.dispatch(handler="echo"))
        await store.added.wait()
        calling.cancel()
        await asyncio.sleep(0)
        store.say.set()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert (await it.ended()).state is State.SUCCEEDED
        assert (await it.dispatch(handler="echo")).state is State.SUCCEEDED
