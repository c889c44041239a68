"""Routes that ask people who shall have their messages: answered, not answered, killed, stopped."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1.route_pb2 import RouteAsk, RouteClassifier, RouteRule
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import (
    TURN_STATE_CANCELLED,
    TURN_STATE_SUCCEEDED,
    Event,
    ToolCallQuestionAsked,
)
from antiphon.events.v1.route_pb2 import (
    ROUTE_OUTCOME_ASKED,
    ROUTE_OUTCOME_CHOSEN,
    ROUTE_OUTCOME_UNSURE,
)
from antiphon.integration.v1.tool_pb2 import (
    TOOL_ANSWER_ACTION_ACCEPTED,
    TOOL_ANSWER_ACTION_CANCELLED,
    TOOL_ANSWER_ACTION_DECLINED,
)
from antiphon_client import AntiphonError, Client, Password, QuestionStatus
from tests.e2e.callers import PASSWORD, user
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAID = "Repeats word by word what a model answers by the conversation"
"""What echo and assistant say of themselves: never sure by the rule below."""


def rule(wait_s: float = 0, most: int = 0) -> RouteRule:
    """Nobody is ever the best."""
    ask = RouteAsk(most=most)
    if wait_s:
        ask.wait.FromTimedelta(timedelta(seconds=wait_s))
    experts = RouteClassifier(handlers=["echo", "assistant"], min_score=1, ask=ask)
    return RouteRule(name="experts", classifier=experts, fallback="assistant")


@dataclass(slots=True)
class Stage:
    """A conversation, and its workspace's rule."""

    server: ServerProcess
    client: Client
    where: str
    parent: str

    async def posted(self, text: str = SAID) -> Turn:
        """A turn that names no handler, as it was taken on."""
        return (await self.client.dispatch(self.where, text)).turn

    async def events(self, turn: Turn) -> list[Event]:
        """What the log says of it."""
        log = (await self.client.read_events(f"conversations/{self.where}")).events
        return [it for it in log if it.turn_id == turn.turn_id]

    async def asked(self, turn: Turn) -> ToolCallQuestionAsked:
        """The one question of a turn, when it is there."""

        async def is_asked() -> bool:
            return any(it.HasField("tool_call_question_asked") for it in await self.events(turn))

        await until_it(is_asked)
        events = await self.events(turn)
        (one,) = [it for it in events if it.HasField("tool_call_question_asked")]
        return one.tool_call_question_asked

    async def answer(self, turn: Turn, handler: str = "echo", client: Client | None = None) -> int:
        """Answer it so; what the first answer did."""
        asked, client = await self.asked(turn), client or self.client
        content = {"handler": handler}
        where, turn_id = self.where, turn.turn_id
        done = await client.answer_tool_call(where, turn_id, asked, content=content)
        return done.action

    async def ended(self, turn: Turn) -> Turn:
        """As it ended."""

        async def has_ended() -> bool:
            return (await self.client.get_turn(self.where, turn.turn_id)).HasField("end_time")

        await until_it(has_ended)
        return await self.client.get_turn(self.where, turn.turn_id)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("asked")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    async with server.client() as client:
        made = await client.create_conversation()
        await client.set_routes(made.workspace_id, [rule()])
        yield Stage(server, client, made.conversation_id, made.workspace_id)


async def test_what_is_explained_is_asked_and_what_is_answered_happens(it: Stage) -> None:
    """The turn, its events and what is explained say the same, before and after."""
    explained = await it.client.explain_route(it.where, SAID)
    turn = await it.posted()
    assert turn.route == explained
    assert (explained.outcome, explained.handler) == (ROUTE_OUTCOME_ASKED, "assistant")
    assert sorted(explained.question.handlers) == ["assistant", "echo"]
    assert explained.question.wait.ToTimedelta() == timedelta(hours=1)
    assert len(explained.candidates) == 2
    asked = await it.asked(turn)
    assert asked.asked_of == turn.creator
    form = json.loads(asked.question.schema_json)["properties"]["handler"]
    assert [each["const"] for each in form["oneOf"]] == [*explained.question.handlers, "-"]
    assert (await it.client.get_turn(it.where, turn.turn_id)).route == explained
    assert await it.answer(turn) == TOOL_ANSWER_ACTION_ACCEPTED
    done = await it.ended(turn)
    assert (done.state, done.handler) == (TURN_STATE_SUCCEEDED, "echo")
    assert (done.route.outcome, done.route.handler) == (ROUTE_OUTCOME_CHOSEN, "echo")
    assert done.route.question.answered_by == turn.creator
    assert done.route.candidates == explained.candidates
    events = await it.events(turn)
    (accepted,) = [one.turn_accepted for one in events if one.HasField("turn_accepted")]
    assert accepted.route == explained
    started = [one.turn_started for one in events if one.HasField("turn_started")]
    assert started[-1].route == done.route
    (answered,) = [one for one in events if one.HasField("tool_call_question_answered")]
    assert answered.actor == turn.creator


async def test_whom_nothing_speaks_for_is_not_offered(it: Stage) -> None:
    """Then nobody is asked, and it is the fallback's at once."""
    turn = await it.posted("Hm")
    assert (turn.handler, turn.route.outcome) == ("assistant", ROUTE_OUTCOME_UNSURE)
    assert not turn.route.HasField("question")


async def test_a_client_is_told_of_the_question_and_answers_it(it: Stage) -> None:
    """As of any tool's."""
    async with it.client.converse(it.where) as live:
        turn = await live.post(SAID)
        async for update in turn.updates():
            if isinstance(update, QuestionStatus) and update.waits:
                asked, said = update.asked, {"handler": "echo"}
                await it.client.answer_tool_call(it.where, turn.turn_id, asked, content=said)
        assert (await turn.result()).text == SAID


async def test_somebody_else_may_not_answer(it: Stage) -> None:
    """Though they may write there, and stop the turn."""
    eve = await user(it.server, "eve-who-answers")
    await it.client.add_member(it.where, eve.known["user"], "member")
    turn = await it.posted()
    credentials = Password("eve-who-answers", PASSWORD)
    async with Client.connect(it.server.address, credentials) as other:
        with pytest.raises(AntiphonError) as refused:
            await it.answer(turn, client=other)
        assert refused.value.reason == "PERMISSION_DENIED"
        assert refused.value.metadata == {"permission": "WHO_IS_ASKED"}
        stopped = await other.cancel_turn(it.where, turn.turn_id)
    assert stopped.state == TURN_STATE_CANCELLED


async def test_the_first_answer_counts_whoever_repeats_it(it: Stage) -> None:
    """Also when the turn has ended."""
    turn = await it.posted()
    both = await asyncio.gather(it.answer(turn, "echo"), it.answer(turn, "echo"))
    assert set(both) == {TOOL_ANSWER_ACTION_ACCEPTED}
    await it.ended(turn)
    asked = await it.asked(turn)
    again = await it.client.answer_tool_call(
        it.where, turn.turn_id, asked, TOOL_ANSWER_ACTION_DECLINED
    )
    assert again.action == TOOL_ANSWER_ACTION_ACCEPTED
    with pytest.raises(AntiphonError) as refused:
        await it.answer(await it.posted(), "people")
    assert list(refused.value.violations) == ["content_json.handler"]


async def test_one_that_is_stopped_takes_no_answer(it: Stage) -> None:
    turn = await it.posted()
    await it.asked(turn)
    stopped = await it.client.cancel_turn(it.where, turn.turn_id)
    assert stopped.state == TURN_STATE_CANCELLED
    with pytest.raises(AntiphonError) as refused:
        await it.answer(turn)
    assert refused.value.reason == "TOOL_CALL_ENDED"


async def test_one_that_is_not_answered_in_time_is_the_fallbacks(it: Stage) -> None:
    await it.client.set_routes(it.parent, [rule(wait_s=0.5)])
    turn = await it.posted()
    done = await it.ended(turn)
    assert (done.handler, done.route.outcome) == ("assistant", ROUTE_OUTCOME_UNSURE)
    assert not done.route.question.answered_by
    assert await it.answer(turn) == TOOL_ANSWER_ACTION_CANCELLED


async def test_people_may_be_given_it_instead(it: Stage) -> None:
    """And give it to whom they like; nobody is asked once more."""
    turn = await it.posted()
    await it.asked(turn)
    handed = await it.client.hand_off_turn(it.where, turn.turn_id)
    await it.client.return_handoff(it.where, handed.handoff.handoff_id, handler="echo")
    done = await it.ended(turn)
    assert (done.state, done.handler) == (TURN_STATE_SUCCEEDED, "echo")
    await it.asked(turn)


async def test_a_schedule_asks_nobody(it: Stage) -> None:
    """Nobody waits for its turns."""
    await it.client.create_schedule(it.where, SAID, datetime.now(UTC) + timedelta(seconds=1))

    async def has_come() -> bool:
        return bool([turn async for turn in it.client.list_turns(it.where)])

    await until_it(has_come)
    (turn,) = [turn async for turn in it.client.list_turns(it.where)]
    assert (turn.handler, turn.route.outcome) == ("assistant", ROUTE_OUTCOME_UNSURE)


async def test_rules_that_would_ask_move_nobody_whom_they_would_offer(it: Stage) -> None:
    """It was theirs."""
    turn = await it.posted()
    await it.answer(turn)
    await it.ended(turn)
    found = await it.client.try_routes(it.parent, [rule()])
    assert turn.turn_id not in {moved.turn_id for moved in found.moved}
    found = await it.client.try_routes(it.parent, [rule(), RouteRule(name="x", handler="people")])
    assert turn.turn_id not in {moved.turn_id for moved in found.moved}


async def test_a_question_outlives_servers_that_are_killed(tmp_path: Path) -> None:
    """While it waits, and as it is answered: it is asked once, and answered once."""
    async with ServerProcess(tmp_path) as server:
        async with server.client() as client:
            made = await client.create_conversation()
            await client.set_routes(made.workspace_id, [rule()])
            where, parent = made.conversation_id, made.workspace_id
            turn = await Stage(server, client, where, parent).posted()
            await Stage(server, client, where, parent).asked(turn)
        await server.kill()
        await server.start()
        for round_ in range(5):
            async with server.client(deadline=3) as client:
                it = Stage(server, client, where, parent)
                answering = asyncio.ensure_future(it.answer(turn))
                await asyncio.sleep(0.004 * round_)
                await server.kill()
                await asyncio.gather(answering, return_exceptions=True)
            await server.start()
            async with server.client() as client:
                it = Stage(server, client, where, parent)
                assert await it.answer(turn) == TOOL_ANSWER_ACTION_ACCEPTED
                done = await it.ended(turn)
                assert (done.state, done.handler) == (TURN_STATE_SUCCEEDED, "echo")
                assert done.route.outcome == ROUTE_OUTCOME_CHOSEN
                kinds = [one.WhichOneof("payload") for one in await it.events(turn)]
                assert kinds.count("tool_call_question_answered") == 1
                turn = await it.posted()
                await it.asked(turn)


async def test_one_that_ran_out_while_no_server_ran_is_the_fallbacks(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        async with server.client() as client:
            made = await client.create_conversation()
            await client.set_routes(made.workspace_id, [rule(wait_s=1)])
            where, parent = made.conversation_id, made.workspace_id
            turn = await Stage(server, client, where, parent).posted()
            await Stage(server, client, where, parent).asked(turn)
        await server.kill()
        await asyncio.sleep(1)
        await server.start()
        async with server.client() as client:
            done = await Stage(server, client, where, parent).ended(turn)
            assert (done.handler, done.route.outcome) == ("assistant", ROUTE_OUTCOME_UNSURE)


async def test_any_server_takes_the_answer_and_goes_on_for_one_that_died(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Of two on one store: what the first has asked is answered at the second."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ANTIPHON_LEASE_S": "2",
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with first, second, first.client() as one, second.client() as other:
        made = await one.create_conversation()
        await one.set_routes(made.workspace_id, [rule()])
        here = Stage(first, one, made.conversation_id, made.workspace_id)
        there = Stage(second, other, made.conversation_id, made.workspace_id)
        turn = await here.posted()
        await here.asked(turn)
        assert await there.answer(turn) == TOOL_ANSWER_ACTION_ACCEPTED
        assert (await there.ended(turn)).handler == "echo"
        left = await here.posted()
        await here.asked(left)
        await first.kill()
        assert await there.answer(left) == TOOL_ANSWER_ACTION_ACCEPTED
        done = await there.ended(left)
        assert (done.handler, done.route.outcome) == ("echo", ROUTE_OUTCOME_CHOSEN)
