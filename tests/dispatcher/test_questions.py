"""Tools that ask people in the middle of a call."""

import asyncio
from collections.abc import Sequence

import pytest

from antiphon.events.v1.event_pb2 import Event
from antiphon_server.dispatcher import attending
from antiphon_server.dispatcher.handling import AskedCall, CallOutcome
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import (
    Answer,
    AnswerAction,
    Policy,
    QuestionAnswered,
    QuestionId,
    State,
    ToolCallId,
)
from antiphon_server.runtime.errors import DomainError, Reason
from tests.dispatcher.callers import Caller, Toolbox, call
from tests.dispatcher.test_tool_calls import outcomes
from tests.dispatcher.world import CONVERSATION, World, turn_id, world
from tests.e2e.until import until_it

BLUE = '{"colour": "blue"}'
ID = call(1).call_id


async def asked(it: World) -> Sequence[Event]:
    """What was asked."""
    return [event for event in await it.history() if event.HasField("tool_call_question_asked")]


async def all_asked(it: World, count: int) -> None:
    """Wait until so many questions were asked."""

    async def found() -> bool:
        return len(await asked(it)) == count

    await until_it(found)


async def answer(
    it: World,
    number: int = 0,
    content: str = BLUE,
    action: AnswerAction = AnswerAction.ACCEPTED,
    who: str = "users/user_ben",
) -> QuestionAnswered:
    """Answer question ``number``."""
    told = (await asked(it))[number].tool_call_question_asked
    said = Answer(QuestionId(told.question.question_id), action, content)
    wish = QuestionAnswered(ToolCallId(told.tool_call_id), said, who)
    return await it.answers.answer(CONVERSATION, turn_id(1), wish, told.question_sha256)


def paused(*rounds: int) -> tuple[Toolbox, Caller]:
    """A tool that asks so many questions in each round."""
    tools = Toolbox(pausing={ID: list(rounds)})
    return tools, Caller(lambda: [AskedCall(call(1))], tools)


async def test_a_call_pauses_and_goes_on_with_the_answers() -> None:
    """Each leg of it is started in the log, and made once; meanwhile it holds no place and time."""
    tools, caller = paused(2, 1)
    async with world(more=[caller], limits=TurnLimits(running=1)) as it:
        await it.dispatch(handler="caller", time_limit_s=0.3)
        await all_asked(it, 2)
        await it.dispatch(2, "echo", Policy.PARALLEL)
        assert (await it.ended(2)).state is State.SUCCEEDED
        await answer(it, 1, '{"colour": "red"}')
        await asyncio.sleep(0.5)
        assert len(await asked(it)) == 2
        await answer(it, 0)
        await all_asked(it, 3)
        await answer(it, 2, "", AnswerAction.DECLINED)
        assert (await it.ended()).state is State.SUCCEEDED
        one, two = (resumed.answers for resumed in tools.resumed)
        assert [said.content for said in one] == [BLUE, '{"colour": "red"}']
        assert [said.action for said in two] == [AnswerAction.DECLINED]
        assert set(tools.runs.values()) == {1}
        assert len(tools.runs) == 3
        kinds = await it.kinds(1)
        assert kinds.count("tool_call_started") == 3
        assert kinds.count("tool_call_finished") == 1


async def test_the_first_answer_counts() -> None:
    """Two at once have one answer, and who repeats it gets the same, also after the end."""
    tools, caller = paused(1)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await all_asked(it, 1)
        both = await asyncio.gather(
            answer(it), answer(it, 0, "", AnswerAction.DECLINED, "users/user_eve")
        )
        assert both[0] == both[1]
        await it.ended()
        assert await answer(it, 0, '{"colour": "red"}') == both[0]
        assert (await it.kinds(1)).count("tool_call_question_answered") == 1
        assert [said.answers for said in tools.resumed] == [(both[0].answer,)]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ('{"colour": 3}', "content_json.colour"),
        ("{}", "content_json.colour"),
        ('{"colour": "blue", "all": true}', "content_json.all"),
        ("[]", "content_json"),
        ("", "content_json"),
    ],
)
async def test_an_answer_that_breaks_the_form_is_refused(content: str, field: str) -> None:
    """By the name of the member that does; the question waits on."""
    _, caller = paused(1)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await all_asked(it, 1)
        with pytest.raises(DomainError) as refused:
            await answer(it, 0, content)
        assert [violation.field for violation in refused.value.violations] == [field]
        assert (await answer(it)).answer.content == BLUE


async def test_an_answer_is_bound_to_the_question() -> None:
    """Who was shown another is refused; nobody answers what was not asked."""
    _, caller = paused(1)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await all_asked(it, 1)
        told = (await asked(it))[0].tool_call_question_asked
        question_id = QuestionId(told.question.question_id)
        for name, digest, reason in (
            (question_id, b"x" * 32, Reason.TOOL_CALL_CHANGED),
            (QuestionId("ask_unknown"), told.question_sha256, Reason.NOT_FOUND),
        ):
            wish = QuestionAnswered(ID, Answer(name, AnswerAction.DECLINED), "users/user_ben")
            with pytest.raises(DomainError) as refused:
                await it.answers.answer(CONVERSATION, turn_id(1), wish, digest)
            assert refused.value.reason is reason


async def test_nobody_answers_a_stopped_turn() -> None:
    """Its call ended with it."""
    _, caller = paused(1)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await all_asked(it, 1)
        await it.cancel()
        assert await outcomes(it) == {ID: CallOutcome.CANCELLED}
        with pytest.raises(DomainError) as ended:
            await answer(it)
        assert ended.value.reason is Reason.TOOL_CALL_ENDED


async def test_who_waits_for_an_answer_survives_a_restart() -> None:
    """One is given before it and one after it; no leg of the call is made twice."""
    tools, caller = paused(2)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await all_asked(it, 2)
        await answer(it, 1, '{"colour": "red"}')
        await it.turns.drain(0.0)
        async with world(it.database, it.log, more=[caller]) as after:
            assert await after.adopted() == 1
            await answer(after)
            assert (await after.ended()).state is State.SUCCEEDED
            assert set(tools.runs.values()) == {1}
            contents = [said.content for said in tools.resumed[0].answers]
            assert contents == [BLUE, '{"colour": "red"}']
            assert await outcomes(after) == {ID: CallOutcome.SUCCEEDED}


async def test_a_call_that_is_held_open_is_answered_while_it_runs() -> None:
    """The turn rests meanwhile, and its time stands still."""
    tools = Toolbox(asking={ID})
    caller = Caller(lambda: [AskedCall(call(1))], tools)
    async with world(more=[caller], limits=TurnLimits(running=1)) as it:
        await it.dispatch(handler="caller", time_limit_s=0.3)
        await all_asked(it, 1)
        await it.dispatch(2, "echo", Policy.PARALLEL)
        assert (await it.ended(2)).state is State.SUCCEEDED
        await asyncio.sleep(0.5)
        assert (await asked(it))[0].tool_call_question_asked.HasField("expire_time")
        await answer(it)
        assert (await it.ended()).state is State.SUCCEEDED
        assert [said.content for said in tools.said] == [BLUE]
        assert (await it.kinds(1)).count("tool_call_started") == 1


async def test_a_call_that_is_held_open_is_lost_with_its_server() -> None:
    """It is UNKNOWN, is not made again, and its question takes no answer."""
    tools = Toolbox(asking={ID})
    caller = Caller(lambda: [AskedCall(call(1))], tools)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await all_asked(it, 1)
        await it.turns.drain(0.0)
        async with world(it.database, it.log, more=[caller]) as after:
            await after.adopted()
            assert (await after.ended()).state is State.SUCCEEDED
            assert await outcomes(after) == {ID: CallOutcome.UNKNOWN}
            assert tools.runs == {ID: 1}
            with pytest.raises(DomainError) as ended:
                await answer(after)
            assert ended.value.reason is Reason.TOOL_CALL_ENDED


@pytest.mark.parametrize("held_open", [True, False])
async def test_a_call_that_is_made_again_asks_what_can_be_answered(*, held_open: bool) -> None:
    """Its first server is gone before it has asked anything."""
    tools = Toolbox()
    tools.held[ID] = asyncio.Event()
    caller = Caller(lambda: [AskedCall(call(1), repeatable=True)], tools)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        await it.seen("tool_call_started")
        await it.turns.drain(0.0)
        tools.held.clear()
        tools.asking, tools.pausing = ({ID}, {}) if held_open else (set(), {ID: [1]})
        async with world(it.database, it.log, more=[caller]) as after:
            await after.adopted()
            await all_asked(after, 1)
            await answer(after)
            assert (await after.ended()).state is State.SUCCEEDED
            assert await outcomes(after) == {ID: CallOutcome.SUCCEEDED}


async def test_nobody_says_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The question of a call that is held open is put away, by nobody."""
    monkeypatch.setattr(attending, "HELD_S", 0.2)
    tools = Toolbox(asking={ID})
    caller = Caller(lambda: [AskedCall(call(1))], tools)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        assert (await it.ended()).state is State.SUCCEEDED
        assert [said.action for said in tools.said] == [AnswerAction.CANCELLED]
        put_away = await answer(it)
        assert put_away.answer.action == AnswerAction.CANCELLED
        assert put_away.actor == "handlers/caller"


async def test_a_pause_that_can_not_be_written_is_no_failure_of_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with every other step of it, the turn ends by what the log said: nobody knows more."""

    async def refused(self: attending.Attending, *asked: object) -> None:
        raise DomainError(Reason.STORE_UNAVAILABLE)

    monkeypatch.setattr(attending.Attending, "_say", refused)
    _, caller = paused(1)
    async with world(more=[caller]) as it:
        await it.dispatch(handler="caller")
        assert (await it.failed()).reason is Reason.STORE_UNAVAILABLE
        assert caller.ends == []
        assert await outcomes(it) == {ID: CallOutcome.CANCELLED}
