"""Calls of tools in turns."""

import asyncio
from collections import Counter

import pytest

from antiphon.events.v1.event_pb2 import Event
from antiphon.events.v1.event_service_pb2 import AppendRequest, AppendResponse
from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.handling import AskedCall, CallOutcome
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import Policy, State, ToolCallDecided, ToolCallId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.dispatcher.callers import Caller, Toolbox, call
from tests.dispatcher.world import CONVERSATION, World, turn_id, world
from tests.e2e.until import until_it

ASKS = AskedCall(call(1), asks=True)


async def outcomes(it: World) -> dict[str, int]:
    """How each call ended in the log."""
    finished = [event.tool_call_finished for event in await it.history()]
    return {end.tool_call_id: end.outcome for end in finished if end.tool_call_id}


async def _proposed(it: World) -> list[Event]:
    return [event for event in await it.history() if event.HasField("tool_call_proposed")]


async def decide(
    it: World, *, approve: bool = True, who: str = "users/user_ben"
) -> ToolCallDecided:
    """Decide about the first call."""
    wish = ToolCallDecided(ASKS.call.call_id, approve, who, "no" if not approve else "")
    return await it.decisions.decide(CONVERSATION, turn_id(1), wish, ASKS.call.digest)


async def test_each_step_of_a_call_is_in_the_log_behind_the_text_before_it() -> None:
    """Proposed and started are one commit; the result follows, then what is said to it."""
    caller = Caller(lambda: [AskedCall(call(1)), AskedCall(call(2))], Toolbox())
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        assert (await it.ended()).state is State.SUCCEEDED
        kinds = [kind for kind in await it.kinds(1) if "tool" in kind or "text" in kind]
        proposed = ["tool_call_proposed", "tool_call_started"]
        assert kinds == [*proposed, *proposed, "tool_call_finished", "tool_call_finished"]
        assert (await it.messages())[-1] == ("before after", False)
        assert {event.tool_call_proposed.position for event in await _proposed(it)} == {7}
        assert await outcomes(it) == {call(1).call_id: 1, call(2).call_id: 1}


async def test_a_call_that_fails_or_hangs_costs_the_others_nothing() -> None:
    """62 of 64 have their results while one hangs; a stop closes that one, and says so."""
    tools = Toolbox()
    tools.failing[call(7).call_id] = DomainError(Reason.TOOL_FAILED, tool="test.tool_7", why="so")
    tools.held[call(9).call_id] = asyncio.Event()
    caller = Caller(lambda: [AskedCall(call(number)) for number in range(64)], tools)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")

        async def most_ended() -> bool:
            return len(await outcomes(it)) == 63

        await until_it(most_ended)
        await it.cancel()
        assert Counter((await outcomes(it)).values()) == {
            CallOutcome.SUCCEEDED: 62,
            CallOutcome.FAILED: 1,
            CallOutcome.CANCELLED: 1,
        }
        assert tools.cancelled == {call(9).call_id: 1}
        assert (await it.kinds(1))[-1] == "turn_finished"


async def test_one_that_asks_waits_for_a_person_and_holds_no_place() -> None:
    """Meanwhile another turn of the user's has the only place, and time stands still."""
    tools = Toolbox()
    caller = Caller(lambda: [ASKS], tools)
    async with world(more=[caller], limits=TurnLimits(running=1)) as it:
        await it.dispatch(handler="caller", time_limit_s=0.3)
        await it.seen("tool_call_proposed")
        await it.dispatch(2, "echo", Policy.PARALLEL)
        assert (await it.ended(2)).state is State.SUCCEEDED
        await asyncio.sleep(0.5)
        assert (await it.turns.get(CONVERSATION, turn_id(1))).state is State.RUNNING
        assert not tools.runs
        decided = await decide(it)
        assert (decided.approved, decided.actor) == (True, "users/user_ben")
        assert (await it.ended()).state is State.SUCCEEDED
        (event,) = [it for it in await it.history() if it.HasField("tool_call_decided")]
        assert event.actor == "users/user_ben"
        assert tools.runs == {ASKS.call.call_id: 1}


async def test_a_denied_one_is_not_made_and_the_turn_goes_on() -> None:
    """The handler is told why."""
    tools = Toolbox()
    caller = Caller(lambda: [ASKS, AskedCall(call(2))], tools)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await it.seen("tool_call_proposed")
        await decide(it, approve=False)
        assert (await it.ended()).state is State.SUCCEEDED
        assert (await outcomes(it))[ASKS.call.call_id] == CallOutcome.DENIED
        assert tools.runs == {call(2).call_id: 1}
        assert caller.ends[0].error is not None
        assert caller.ends[0].error.metadata["why"] == "no"


async def test_the_first_decision_counts() -> None:
    """Two at once have one answer, and who repeats it gets the same, also after the end."""
    caller = Caller(lambda: [ASKS], Toolbox())
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await it.seen("tool_call_proposed")
        both = await asyncio.gather(decide(it), decide(it, approve=False, who="users/user_eve"))
        assert both[0] == both[1]
        await it.ended()
        assert await decide(it, approve=False) == both[0]
        assert (await it.kinds(1)).count("tool_call_decided") == 1


async def test_a_decision_is_bound_to_the_arguments() -> None:
    """Who was shown others is refused; so is a decision about a call that nobody knows."""
    caller = Caller(lambda: [ASKS], Toolbox())
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await it.seen("tool_call_proposed")
        wish = ToolCallDecided(ASKS.call.call_id, True, "users/user_ben")
        shown = call(1, arguments='{"all": true}')
        with pytest.raises(DomainError) as changed:
            await it.decisions.decide(CONVERSATION, turn_id(1), wish, shown.digest)
        assert changed.value.reason is Reason.TOOL_CALL_CHANGED
        other = ToolCallDecided(ToolCallId("tool_other"), True, "users/user_ben")
        with pytest.raises(DomainError) as unknown:
            await it.decisions.decide(CONVERSATION, turn_id(1), other, shown.digest)
        assert unknown.value.reason is Reason.NOT_FOUND


async def test_nobody_decides_about_a_stopped_turn() -> None:
    """Its call ended with it."""
    caller = Caller(lambda: [ASKS], Toolbox())
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await it.seen("tool_call_proposed")
        await it.cancel()
        assert await outcomes(it) == {ASKS.call.call_id: CallOutcome.CANCELLED}
        with pytest.raises(DomainError) as ended:
            await decide(it)
        assert ended.value.reason is Reason.TOOL_CALL_ENDED


@pytest.mark.parametrize("approve", [True, False])
async def test_who_waits_for_a_person_survives_a_restart(*, approve: bool) -> None:
    """The next life goes on waiting, though its handler's lost turns fail."""
    tools = Toolbox()
    caller = Caller(lambda: [ASKS], tools)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await it.seen("tool_call_proposed")
        await it.turns.drain(0.0)
        async with world(it.database, it.log, more=[caller]) as after:
            assert await after.adopted() == 1
            await decide(after, approve=approve)
            assert (await after.ended()).state is State.SUCCEEDED
            assert tools.runs.total() == approve
            assert (await after.messages())[-1] == ("before after", False)


@pytest.mark.parametrize("repeatable", [True, False])
async def test_a_call_that_was_under_way_is_unknown(*, repeatable: bool) -> None:
    """It is made again only if it is repeatable, under the same id; others' results are kept."""
    tools = Toolbox()
    tools.held[call(1).call_id] = asyncio.Event()
    asked = [AskedCall(call(1), repeatable=repeatable), AskedCall(call(2))]
    caller = Caller(lambda: asked, tools)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await it.seen("tool_call_finished")
        await it.turns.drain(0.0)
        tools.held.clear()
        async with world(it.database, it.log, more=[caller]) as after:
            await after.adopted()
            assert (await after.ended()).state is State.SUCCEEDED
            ended = CallOutcome.SUCCEEDED if repeatable else CallOutcome.UNKNOWN
            assert (await outcomes(after))[call(1).call_id] == ended
            assert tools.runs == {call(1).call_id: 1 + repeatable, call(2).call_id: 1}


async def test_text_behind_the_calls_is_not_said_again() -> None:
    """A turn that was lost while its model spoke fails as it always did."""
    caller = Caller(lambda: [AskedCall(call(1))], Toolbox())

    async def run(work: object) -> None:
        await Caller.run(caller, work)  # type: ignore[arg-type]
        await asyncio.Event().wait()

    caller.run = run  # type: ignore[method-assign]
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await it.delivered("after")
        await it.turns.drain(0.0)
        async with world(it.database, it.log, more=[caller]) as after:
            await after.adopted()
            assert (await after.failed()).reason is Reason.TURN_LOST


class _Ours:
    held, term = True, 0


async def test_a_call_is_not_begun_by_who_has_lost_the_turn() -> None:
    """Whoever stood still while it was committed that the call starts."""
    tools, lease = Toolbox(), _Ours()
    caller = Caller(lambda: [AskedCall(call(1))], tools)
    async with world(more=[caller]) as it:
        journal = it.recovery._journal
        assert isinstance(journal, EventLogJournal)
        it.recovery._runner._lease = lease
        append = journal._append_once

        async def slow(request: AppendRequest) -> AppendResponse:
            answer = await append(request)
            lease.term += any(event.HasField("tool_call_started") for event in request.events)
            return answer

        setattr(journal, "_append_once", slow)  # noqa: B010 - mypy knows a method there
        await it.dispatch(handler="caller")
        await it.ended()
        assert not tools.runs
        assert caller.ends[0].error is not None
        assert caller.ends[0].error.reason is Reason.DRAINING
