"""Nobody sees what is masked: in no piece, after no loss, and at no end."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from antiphon.events.v1.event_service_pb2 import AppendRequest, AppendResponse
from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.handling import (
    AskedCall,
    AttemptLost,
    HandedOff,
    HandoffOrder,
    Otherwise,
)
from antiphon_server.dispatcher.masking import masked_failure
from antiphon_server.dispatcher.model import State, ToolCallDecided
from antiphon_server.runtime.errors import DomainError, Reason
from tests.dispatcher.callers import Caller, Toolbox, call
from tests.dispatcher.masks import NoBirds, filters_stand
from tests.dispatcher.world import CONVERSATION, World, turn_id, world
from tests.e2e.until import SOON_S


@pytest.fixture
def masks() -> NoBirds:
    return NoBirds()


@pytest.fixture
async def it(masks: NoBirds) -> AsyncIterator[World]:
    async with world(masks=masks) as made:
        filters_stand(made)
        yield made


async def answer(it: World) -> str:
    """All that the log has of the answer, when it has ended."""
    await it.ended()
    return (await it.messages())[1][0]


async def test_what_is_found_is_masked_and_the_rest_is_said_when_the_turn_ends(
    it: World, masks: NoBirds
) -> None:
    await it.dispatch()
    it.told.say("a blue", "bird sings, as blue", "birds do, in blue", None)
    assert await answer(it) == "a [term] sings, as bluebirds do, in blue"
    assert masks.closed == 1


async def test_what_is_said_together_is_looked_at_together(it: World, masks: NoBirds) -> None:
    """A look costs much the same for one word or ten."""
    await it.dispatch()
    it.told.say(*"a bluebird sings, and so on, for quite some time", None)
    assert await answer(it) == "a [term] sings, and so on, for quite some time"
    assert masks.looks < 12


async def test_an_answer_that_grows_too_long_by_its_masks_fails(it: World) -> None:
    """It keeps what fitted."""
    await it.dispatch()
    it.told.say(*["bird, bluebird, " * 1000] * 45, None)
    assert (await it.failed()).reason is Reason.LIMIT_EXCEEDED
    text, truncated = (await it.messages())[1]
    assert truncated
    assert "bluebird" not in text


async def test_what_is_held_back_as_a_turn_fails_nobody_sees(it: World) -> None:
    """It may be the beginning of what is not to be seen."""
    await it.dispatch()
    it.told.say("a bird, bluebi", DomainError(Reason.HANDLER_FAILED, why="a bluebird came"))
    assert await answer(it) == "a bird, "
    assert (await it.failed()).metadata["why"] == "a [term] came"


async def test_what_is_held_back_as_a_turn_is_stopped_nobody_sees(it: World) -> None:
    await it.said("a bird, ")
    it.told.say("bluebi")
    await it.cancel()
    assert await answer(it) == "a bird, "


async def test_what_is_held_back_as_its_time_is_over_nobody_sees(it: World) -> None:
    await it.dispatch(time_limit_s=0.2)
    it.told.say("a bird, bluebi")
    assert (await it.failed(state=State.EXPIRED)).reason is Reason.TURN_EXPIRED
    assert (await it.messages())[1][0] == "a bird, "


async def test_a_masked_answer_is_not_gone_on_with_after_a_loss(it: World) -> None:
    """Of what was lost nobody knows how much was shown."""
    await it.said("a bird, ")
    it.told.say("bluebi", AttemptLost())
    assert (await it.failed()).reason is Reason.TURN_LOST
    assert await answer(it) == "a bird, "


async def test_where_nothing_was_shown_it_begins_anew_after_a_loss(it: World) -> None:
    await it.dispatch()
    it.told.say("bluebi", AttemptLost(), "a bird", None)
    assert await answer(it) == "a bird"
    assert it.told.resumed == ["", ""]


async def test_the_next_server_does_not_go_on_with_a_masked_answer(
    it: World, masks: NoBirds
) -> None:
    await it.said("a bird, ")
    await heard(it)
    await it.turns.drain(0.0)
    async with world(it.database, it.log, masks=masks) as after:
        assert await after.adopted() == 1
        assert (await after.failed()).reason is Reason.TURN_LOST
        assert (await after.messages())[1] == ("a bird, ", True)


@pytest.mark.parametrize("waits", [False, True], ids=["says something", "waits for people"])
async def test_a_server_that_stops_tells_what_was_found(
    it: World, masks: NoBirds, *, waits: bool
) -> None:
    """Also of turns that wait; who goes on with them counts what comes."""
    await it.dispatch()
    it.told.say("a bluebird, ", *([HandedOff(HandoffOrder("why"))] if waits else []))
    await (it.seen("turn_handed_off") if waits else it.delivered("[term], "))
    assert masks.closed == 0
    await it.turns.drain(0.0)
    assert masks.closed == 1


async def test_a_server_that_stops_waits_no_longer_than_it_may_for_that(
    it: World, masks: NoBirds
) -> None:
    """Who was to be told does not answer: the turn is let go all the same, by then."""
    await it.dispatch()
    it.told.say("a bluebird, ")
    await it.delivered("[term], ")
    masks.hangs = True
    (task,) = (task for task in it.tasks if task.get_name().startswith("turn "))
    await it.turns.drain(0.0)
    assert task.done()


async def test_the_next_server_begins_anew_where_nothing_was_shown(
    it: World, masks: NoBirds
) -> None:
    await it.dispatch()
    it.told.say("bluebi")
    await heard(it)
    await it.turns.drain(0.0)
    async with world(it.database, it.log, masks=masks) as after:
        assert await after.adopted() == 1
        after.told.say("a blue", "bird", None)
        await after.ended()
        assert (await after.messages())[1] == ("a [term]", False)


async def test_the_next_server_goes_on_where_nothing_is_masked(it: World, masks: NoBirds) -> None:
    masks.off = True
    await it.said("a bird, ")
    await heard(it)
    await it.turns.drain(0.0)
    async with world(it.database, it.log, masks=masks) as after:
        assert await after.adopted() == 1
        after.told.say("and one more", None)
        await after.ended()
        assert (await after.messages())[1] == ("a bird, and one more", False)


async def heard(it: World) -> None:
    """Wait until the handler has said all that it was told to."""
    async with asyncio.timeout(SOON_S):
        await it.told.running.wait()
        while True:
            if it.told.lines.empty():
                return
            await asyncio.sleep(0.001)


async def test_a_handler_that_hands_off_has_said_all(it: World) -> None:
    """And its reason, and what is said if nobody comes, are masked."""
    await it.dispatch()
    order = HandoffOrder("a bluebird", expire_s=0.3, otherwise=Otherwise("no bluebird came"))
    it.told.say("ask about blue", HandedOff(order))
    await it.ended()
    said = await it.history()
    [handed] = [one.turn_handed_off for one in said if one.HasField("turn_handed_off")]
    assert handed.handoff.reason == "a [term]"
    assert [text for text, _ in await it.messages()][1:] == ["ask about blue", "no [term] came"]


async def test_who_gets_a_turn_back_from_people_begins_anew(it: World) -> None:
    """Behind a gap: nobody knows by what is shown how far the handler before had come."""
    await it.dispatch()
    order = HandoffOrder(expire_s=0.2, otherwise=Otherwise(handler="fragile"))
    it.told.say("one bluebird", HandedOff(order))
    it.fragile.say("two blue", "birds", None)
    assert await answer(it) == "one [term]\n\ntwo bluebirds"
    assert it.fragile.resumed == [""]


async def test_also_if_its_server_dies_before_they_begin(it: World, masks: NoBirds) -> None:
    await it.dispatch()
    journal, dead = it.recovery._journal, asyncio.Event()
    assert isinstance(journal, EventLogJournal)
    append = journal._append_once

    async def dies(request: AppendRequest) -> AppendResponse:
        if not dead.is_set() and not any(it.HasField("handoff_ended") for it in request.events):
            return await append(request)
        if not dead.is_set():
            await append(request)
            dead.set()
        raise DomainError(Reason.FENCED)

    journal._append_once = dies  # type: ignore[method-assign]
    order = HandoffOrder(expire_s=0.2, otherwise=Otherwise(handler="told"))
    it.told.say("one bluebird", HandedOff(order))
    await dead.wait()
    await it.turns.drain(0.0)
    async with world(it.database, it.log, masks=masks) as after:
        await after.adopted()
        after.told.say("two birds", None)
        await after.ended()
        assert after.told.resumed == [""]
        assert (await after.messages())[1] == ("one [term]\n\ntwo birds", False)
        begun = [it.turn_started.handler for it in await after.history()]
        assert [it for it in begun if it] == ["told", "told"]


async def test_before_a_call_of_a_tool_nothing_is_held_back(masks: NoBirds) -> None:
    """So another server goes on with it, where it waits: text and calls keep their order."""
    asked = AskedCall(call(1), asks=True)
    before, after = "before blue", "bird after"
    async with world(more=[Caller(lambda: [asked], Toolbox(), before, after)], masks=masks) as it:
        filters_stand(it)
        await it.dispatch(handler="caller")
        await it.seen("tool_call_proposed")
        await it.turns.drain(0.0)
        again = Caller(lambda: [asked], Toolbox(), before, after)
        async with world(it.database, it.log, more=[again], masks=masks) as next_life:
            await next_life.adopted()
            wish = ToolCallDecided(asked.call.call_id, True, "users/user_ben")
            await next_life.decisions.decide(CONVERSATION, turn_id(1), wish, asked.call.digest)
            assert (await next_life.ended()).state is State.SUCCEEDED
            assert (await next_life.messages())[1] == ("before blue[term] after", False)


async def test_where_a_mask_stands_at_a_call_no_other_server_goes_on(masks: NoBirds) -> None:
    """The word may go on behind it, and a new mask would show the rest."""
    asked = AskedCall(call(1), asks=True)
    caller = Caller(lambda: [asked], Toolbox(), "a bluebird")
    async with world(more=[caller], masks=masks) as it:
        filters_stand(it)
        await it.dispatch(handler="caller")
        await it.seen("tool_call_proposed")
        await it.turns.drain(0.0)
        async with world(it.database, it.log, more=[caller], masks=masks) as next_life:
            await next_life.adopted()
            assert (await next_life.failed()).reason is Reason.TURN_LOST


async def test_what_can_not_be_told_of_masks_costs_the_answer_nothing(
    it: World, masks: NoBirds
) -> None:
    await it.dispatch()
    await it.told.running.wait()
    masks.broken = DomainError(Reason.INTERNAL, request_id="1")
    it.told.say("a bluebird", None)
    assert await answer(it) == "a [term]"


async def test_a_turn_of_which_nobody_knows_how_it_is_masked_fails(
    it: World, masks: NoBirds
) -> None:
    """It says nothing, and why."""
    masks.broken = DomainError(Reason.UNIMPLEMENTED)
    await it.dispatch()
    assert (await it.failed()).reason is Reason.UNIMPLEMENTED


async def test_asking_how_it_is_masked_is_a_part_of_its_time(it: World, masks: NoBirds) -> None:
    masks.hangs = True
    await it.dispatch(time_limit_s=0.2)
    assert (await it.failed(state=State.EXPIRED)).reason is Reason.TURN_EXPIRED


async def test_a_turn_that_has_waited_is_masked_by_filters_that_came_meanwhile(
    masks: NoBirds,
) -> None:
    async with world(masks=masks) as it:
        await it.dispatch(1)
        await it.dispatch(2)
        await it.seen("turn_queued")
        assert masks.asked == []
        it.told.say("a bluebird", None)
        await it.ended(1)
        it.told.say("a bluebird", None)
        await it.ended(2)
        assert [text for text, _ in await it.messages()][2:] == ["a bluebird", "a [term]"]


async def test_of_a_failure_only_what_a_handler_says_is_masked() -> None:
    plain = DomainError(Reason.HANDLER_NOT_FOUND, handler="bluebird")
    assert await masked_failure(plain, nothing) is plain


async def nothing(texts: Sequence[str]) -> Sequence[str]:
    """Nothing may be shown."""
    return [""] * len(texts)
