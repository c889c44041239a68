"""Turns that rules send to workers who vanish go on at the fallback that the rule names."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1.route_pb2 import RouteAsk, RouteClassifier, RouteRule
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import TURN_STATE_FAILED, TURN_STATE_SUCCEEDED
from antiphon.events.v1.route_pb2 import (
    ROUTE_OUTCOME_ASKED,
    ROUTE_OUTCOME_AWAY,
    ROUTE_OUTCOME_RULE,
)
from tests.e2e.refusals import reason_in
from tests.e2e.test_tools import _seen as seen
from tests.e2e.until import until_it
from tests.workers.bare import BareWorker, introduced, text
from tests.workers.counting import ended
from tests.workers.staged import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")
RULE = RouteRule(name="experts", handler="bad", fallback="echo")
PATIENCE_S = 60.0
"""Longer than a turn waits for workers."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("vanished")) as stage:
        await stage.client.set_routes("global", [RULE])
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def expert(stage: Stage) -> AsyncIterator[BareWorker]:
    """A worker that serves the handler, as it may again."""
    user = await stage.client.get_user("bad")
    await stage.client.allow_worker("global", "bad", user.user_id)
    worker = await stage.worker()
    yield worker
    worker.cut()


async def routed(stage: Stage, expert: BareWorker) -> tuple[Turn, Any]:
    """A turn that the rule sent to the expert, and as that was told of it."""
    turn = await stage.dispatched("")
    assert (turn.handler, turn.route.fallback) == ("bad", "echo")
    return turn, await expert.told("assign")


async def forbid(stage: Stage) -> None:
    """Nobody may serve the handler any more."""
    user = await stage.client.get_user("bad")
    await stage.client.forbid_worker("global", "bad", user.user_id)


async def check_fallen_back(stage: Stage, turn: Turn) -> None:
    """The fallback answered, and all who read of the turn are told so."""
    done = await ended(stage.client, turn)
    assert (done.state, done.attempt >= 2, done.handler) == (TURN_STATE_SUCCEEDED, True, "echo")
    assert (done.route.outcome, list(done.route.passed_over)) == (ROUTE_OUTCOME_AWAY, ["bad"])
    log = (await stage.client.read_events(f"conversations/{turn.conversation_id}")).events
    (accepted,) = [it.turn_accepted for it in log if it.HasField("turn_accepted")]
    assert (accepted.handler, accepted.route.outcome) == ("bad", ROUTE_OUTCOME_RULE)
    assert [it.turn_started.handler for it in log if it.HasField("turn_started")][-1] == "echo"
    messages = [it async for it in stage.client.list_messages(turn.conversation_id)]
    assert {it.author: it.parts[0].text for it in messages}["handlers/echo"] == "go"


async def test_who_may_not_serve_it_any_more_leaves_the_turn_to_the_fallback(
    stage: Stage, expert: BareWorker
) -> None:
    """At once."""
    turn, _ = await routed(stage, expert)
    await forbid(stage)
    await check_fallen_back(stage, turn)


async def test_who_has_begun_to_answer_leaves_it_to_nobody(
    stage: Stage, expert: BareWorker
) -> None:
    """What was said is kept."""
    turn, assign = await routed(stage, expert)
    await expert.say(**text(assign, 1, "half"))
    await expert.told("ack")
    await forbid(stage)
    done = await ended(stage.client, turn)
    assert (done.state, done.handler) == (TURN_STATE_FAILED, "bad")
    assert reason_in(done.error) == "HANDLER_NOT_FOUND"
    messages = [it async for it in stage.client.list_messages(turn.conversation_id)]
    assert {it.author: it.parts[0].text for it in messages}["handlers/bad"] == "half"


async def test_whom_nobody_serves_for_long_leaves_it_too(stage: Stage, expert: BareWorker) -> None:
    """Its worker is gone, and no other came. One that comes later has no part in it."""
    turn, _ = await routed(stage, expert)
    expert.cut()

    async def falls_back() -> bool:
        now = await stage.client.get_turn(turn.conversation_id, turn.turn_id)
        return now.handler == "echo"

    await until_it(falls_back, PATIENCE_S)
    await stage.worker()
    await check_fallen_back(stage, turn)


async def test_who_was_offered_and_may_not_serve_it_by_now_leaves_it_too(
    stage: Stage, expert: BareWorker
) -> None:
    """It was chosen, all the same, and the fallback is the rule's."""
    expert.cut()
    hello = introduced("bad")
    hello.handlers[0].examples.append("go there")
    await stage.worker(hello=hello)
    asking = RouteClassifier(handlers=["bad"], min_score=1, ask=RouteAsk())
    await stage.client.set_routes(
        "global", [RouteRule(name="asks", classifier=asking, fallback="echo")]
    )
    turn = await stage.dispatched("")
    assert (turn.route.outcome, list(turn.route.question.handlers)) == (
        ROUTE_OUTCOME_ASKED,
        ["bad"],
    )
    event = await seen(stage.client, turn.conversation_id, "tool_call_question_asked")
    await forbid(stage)
    asked = event.tool_call_question_asked
    where, turn_id = turn.conversation_id, turn.turn_id
    await stage.client.answer_tool_call(where, turn_id, asked, content={"handler": "bad"})
    done = await ended(stage.client, turn)
    await stage.client.set_routes("global", [RULE])
    assert (done.state, done.handler) == (TURN_STATE_SUCCEEDED, "echo")
    assert (done.route.outcome, list(done.route.passed_over)) == (ROUTE_OUTCOME_AWAY, ["bad"])
    assert done.route.question.answered_by == turn.creator
