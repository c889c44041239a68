"""Turns whose askers are asked who shall have them."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from antiphon.events.v1.event_pb2 import ToolCallQuestionAsked
from antiphon.events.v1.route_pb2 import (
    ROUTE_OUTCOME_ASKED,
    ROUTE_OUTCOME_CHOSEN,
    ROUTE_OUTCOME_UNSURE,
    RouteDecision,
    RouteOutcome,
)
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import (
    Answer,
    AnswerAction,
    CallOutcome,
    Held,
    Order,
    Policy,
    Posted,
    QuestionAnswered,
    QuestionId,
    State,
    TextAppended,
    ToolCallId,
    Turn,
)
from antiphon_server.dispatcher.routed_model import Asks, Chosen, Offer, Routed
from antiphon_server.runtime.errors import Reason
from tests.dispatcher.masks import NoBirds
from tests.dispatcher.stand_ins import Told
from tests.dispatcher.test_tool_calls import outcomes
from tests.dispatcher.world import ANNA, CONVERSATION, World, turn_id, world
from tests.e2e.refusals import Refused

ECHO = '{"handler": "echo"}'


def _routed(handler: str, outcome: RouteOutcome.ValueType) -> Routed:
    return Routed(handler, RouteDecision(handler=handler, outcome=outcome).SerializeToString())


@dataclass
class Unsure:
    """Offers ``echo`` and ``told``; otherwise it is ``fragile``."""

    wait_s: float = 60.0
    asked: list[Posted] = field(default_factory=list)

    async def route(self, posted: Posted) -> Routed | None:
        self.asked.append(posted)
        offers = (
            Offer("Says it again.", _routed("echo", ROUTE_OUTCOME_CHOSEN)),
            Offer("", _routed("told", ROUTE_OUTCOME_CHOSEN)),
        )
        otherwise = _routed("fragile", ROUTE_OUTCOME_UNSURE)
        asks = Asks(offers, self.wait_s, otherwise)
        return replace(_routed("fragile", ROUTE_OUTCOME_ASKED), asks=asks)


@pytest.fixture
def rules() -> Unsure:
    return Unsure()


@pytest.fixture
async def it(rules: Unsure) -> AsyncIterator[World]:
    async with world(routes=rules, limits=TurnLimits(running=1)) as it:
        yield it


async def asked(it: World) -> ToolCallQuestionAsked:
    """What is asked, when it is."""
    await it.seen("tool_call_question_asked")
    events = await it.history()
    (one,) = [e for e in events if e.HasField("tool_call_question_asked")]
    return one.tool_call_question_asked


async def answer(
    it: World,
    content: str = ECHO,
    action: AnswerAction = AnswerAction.ACCEPTED,
    who: str = ANNA.actor,
) -> QuestionAnswered:
    """Answer it."""
    told = await asked(it)
    said = Answer(QuestionId(told.question.question_id), action, content)
    wish = QuestionAnswered(ToolCallId(told.tool_call_id), said, who)
    return await it.answers.answer(CONVERSATION, turn_id(1), wish, told.question_sha256)


async def ended(it: World) -> tuple[str, RouteDecision, State]:
    """Who had it, why, and how it ended; the log says of it what the store does."""
    turn = await it.ended()
    assert isinstance(turn, Turn)
    started = [e.turn_started for e in await it.history() if e.HasField("turn_started")]
    assert started[-1].handler == turn.order.handler
    return turn.order.handler, started[-1].route, turn.state


async def test_who_is_chosen_has_the_turn(it: World) -> None:
    """Meanwhile it takes no place; the question is for its asker, and says what experts do."""
    await it.dispatch(handler="")
    told = await asked(it)
    assert told.asked_of == ANNA.actor
    assert "echo: Says it again." in told.question.schema_json
    assert "none of these: fragile" in told.question.schema_json
    await it.dispatch(2, "echo", Policy.PARALLEL)
    assert (await it.ended(2)).state is State.SUCCEEDED
    await answer(it)
    handler, route, state = await ended(it)
    assert (handler, route.outcome, state) == ("echo", ROUTE_OUTCOME_CHOSEN, State.SUCCEEDED)
    assert route.question.answered_by == ANNA.actor
    assert ("hello big world", False) in await it.messages()


@pytest.mark.parametrize(
    ("content", "action"),
    [('{"handler": "-"}', AnswerAction.ACCEPTED), ("", AnswerAction.DECLINED)],
)
async def test_who_wants_none_of_them_gets_the_fallback(
    it: World, content: str, action: AnswerAction
) -> None:
    await it.dispatch(handler="")
    await answer(it, content, action)
    it.fragile.say(None)
    handler, route, _ = await ended(it)
    assert (handler, route.outcome) == ("fragile", ROUTE_OUTCOME_UNSURE)
    assert route.question.answered_by == ANNA.actor


async def test_whom_nobody_answers_gets_the_fallback(it: World, rules: Unsure) -> None:
    """In time; nobody has answered then."""
    rules.wait_s = 0.2
    await it.dispatch(handler="", time_limit_s=0.1)
    it.fragile.say(None)
    handler, route, state = await ended(it)
    assert (handler, route.outcome, state) == ("fragile", ROUTE_OUTCOME_UNSURE, State.SUCCEEDED)
    assert not route.question.answered_by
    assert (await answer(it)).answer.action is AnswerAction.CANCELLED


async def test_another_person_may_not_answer(it: World) -> None:
    """Before and after who is asked does."""
    await it.dispatch(handler="")
    with Refused(Reason.PERMISSION_DENIED):
        await answer(it, who="users/user_eve")
    await answer(it)
    await it.ended()
    with Refused(Reason.PERMISSION_DENIED):
        await answer(it, who="users/user_eve")


async def test_the_first_answer_counts(it: World) -> None:
    """Another one is told it, at the same moment and later."""
    await it.dispatch(handler="")
    both = await asyncio.gather(answer(it), answer(it, '{"handler": "-"}'))
    assert both[0] == both[1]
    await it.ended()
    assert await answer(it, '{"handler": "told"}') == both[0]


async def test_nobody_is_chosen_who_was_not_offered(it: World) -> None:
    await it.dispatch(handler="")
    with Refused(Reason.INVALID_ARGUMENT):
        await answer(it, '{"handler": "fragile"}')


async def test_a_turn_that_is_stopped_is_for_nobody(it: World) -> None:
    """Its question takes no answer."""
    await it.dispatch(handler="")
    await asked(it)
    turn = await it.cancel()
    assert turn.state is State.CANCELLED
    assert set((await outcomes(it)).values()) == {CallOutcome.CANCELLED}
    with Refused(Reason.TOOL_CALL_ENDED):
        await answer(it)


async def test_a_question_outlives_its_server(it: World, rules: Unsure) -> None:
    """It is asked once, and what rules say by then is no matter."""
    await it.dispatch(handler="")
    await asked(it)
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as after:
        assert await after.adopted() == 1
        await answer(after)
        handler, route, state = await ended(after)
        assert (handler, route.outcome, state) == ("echo", ROUTE_OUTCOME_CHOSEN, State.SUCCEEDED)
        stored = await after.store.get(CONVERSATION, turn_id(1))
        assert isinstance(stored, Turn)
        assert stored.chosen == Chosen("echo", ANNA.actor)
    assert len(rules.asked) == 1


async def test_one_whose_time_ran_out_while_no_server_ran_is_put_away(
    it: World, rules: Unsure
) -> None:
    rules.wait_s = 0.3
    await it.dispatch(handler="")
    until = (await asked(it)).expire_time.ToMicroseconds() / 1e6
    await it.turns.drain(0.0)
    await asyncio.sleep(max(0.0, until - time.time()))
    async with world(it.database, it.log) as after:
        await after.adopted()
        after.fragile.say(None)
        assert (await ended(after))[:1] == ("fragile",)


async def test_a_choice_is_kept_by_who_goes_on_with_the_turn(it: World) -> None:
    """The handler's server is gone: the next one has it begin again, and asks nobody."""
    await it.dispatch(handler="")
    await answer(it, '{"handler": "told"}')
    it.told.say("half ")
    await it.delivered("half ")
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as after:
        await after.adopted()
        after.told.say("whole")
        after.told.say(None)
        assert (await ended(after))[0] == "told"
        assert (await after.kinds(1)).count("tool_call_question_asked") == 1


async def test_a_handler_that_gives_up_lost_turns_is_not_made_to_go_on(it: World) -> None:
    """That it was chosen is no call of its own behind which it could."""
    fragile = it.fragile
    assert isinstance(fragile, Told)
    await it.dispatch(handler="")
    await answer(it, '{"handler": "-"}')
    fragile.say("half ")
    await it.delivered("half ")
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as after:
        await after.adopted()
        assert (await after.failed()).reason is Reason.TURN_LOST


async def test_filters_that_came_while_it_was_asked_mask_the_answer(rules: Unsure) -> None:
    """Though none stood as the turn came."""
    async with world(routes=rules, masks=NoBirds()) as it:
        await it.dispatch(handler="", text="a bluebird")
        await answer(it)
        await it.ended()
        assert ("a [term]", False) in await it.messages()


async def test_what_a_server_of_before_has_begun_is_not_asked_of(it: World) -> None:
    """It knew no question, and had who has it otherwise begin."""
    await it.dispatch(handler="")
    await asked(it)
    await it.turns.drain(0.0)
    stored = await it.store.get(CONVERSATION, turn_id(1))
    assert isinstance(stored, Turn)
    begun = replace(stored, attempt=stored.attempt + 1)
    piece = TextAppended("half ", 0)
    await it.recovery._journal.write(begun, [piece])
    await it.arrange(begun)
    async with world(it.database, it.log) as after:
        await after.adopted()
        assert (await after.failed()).reason is Reason.TURN_LOST


async def test_what_people_look_at_first_asks_nobody(it: World, rules: Unsure) -> None:
    """Who lets it go on says who has it."""
    found = await rules.route(Posted(it.known.views[CONVERSATION], ANNA.actor, b""))
    assert found is not None
    held = Order(b"", "", Policy.QUEUE, held=Held("odd")).routed(found).to_people()
    assert (held.asks, held.held.handler) == (None, "fragile")
