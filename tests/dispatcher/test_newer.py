"""Turns that a newer server has written to are gone on with; what is not understood is kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update

from antiphon.context.v1 import context_service_pb2, conversation_pb2
from antiphon.integration.v1 import integration_service_pb2
from antiphon_server.agents.adapters.services import ModelReply, _reply
from antiphon_server.dispatcher.adapters.conversations import _view
from antiphon_server.dispatcher.adapters.row import from_row, to_row
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.adapters.tables import turns
from antiphon_server.dispatcher.encoding import turn_message
from antiphon_server.dispatcher.lane import ActiveTurn, Lane
from antiphon_server.dispatcher.model import Order, Outcome, Policy, State, Turn
from antiphon_server.events import wire
from antiphon_server.events.model import NewEvent, Scope
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.world import ANNA, CONVERSATION, World, turn_id, world
from tests.fakes.newer import NUMBER, VALUE, newer

SCOPE = Scope(f"conversations/{CONVERSATION}")
FINISHED = 15
TURN = Turn(turn_id(1), CONVERSATION, ANNA.actor, 1, b"d", Order(b"hello", "echo", Policy(VALUE)))


@pytest.fixture
async def it() -> AsyncIterator[World]:
    """A dispatcher, whose turn's server was let go in the middle of the answer."""
    async with world() as made:
        await made.said("half ")
        await made.turns.drain(0.0)
        yield made


async def write(it: World, kind: int, event: Any) -> None:
    """Append as a newer server does, which then has died."""
    body = wire.scoped(event.SerializeToString(), SCOPE)
    await it.log.append(SCOPE, [NewEvent(kind, turn_id(1), body)])


async def test_a_turn_is_resumed_behind_events_that_are_not_understood(it: World) -> None:
    """Its text is what the deltas say, with whatever else of it in between."""
    event = newer("events.v1.Event")(turn_id=turn_id(1), attempt=1)
    event.newer.text = "newer"
    await write(it, NUMBER, event)
    async with world(it.database, it.log) as next_life:
        await next_life.adopted()
        next_life.told.say("whole", None)
        assert (await next_life.ended()).state is State.SUCCEEDED
        assert next_life.told.resumed == ["half "]
        assert (await next_life.messages())[-1] == ("half whole", False)


async def test_a_turn_that_ended_in_a_state_to_come_has_ended(it: World) -> None:
    """It is stored as the log says, and not run again, however long ago its server died."""
    event = newer("events.v1.Event")(turn_id=turn_id(1), attempt=1)
    event.turn_finished.state, event.turn_finished.newer = VALUE, "newer"
    await write(it, FINISHED, event)
    async with world(it.database, it.log) as next_life:
        await next_life.adopted()
        ended = await next_life.ended()
        assert ended.state == VALUE
        assert turn_message(ended).state == VALUE
        assert next_life.told.resumed == []
        assert (await next_life.cancel()).state == VALUE


async def test_a_policy_to_come_waits_like_queue(it: World) -> None:
    """The conversation can be used; what was asked for is said in the log as it was."""
    wanted = conversation_pb2.Conversation(turn_policy=VALUE)  # type: ignore[arg-type]
    answer = context_service_pb2.GetConversationResponse(conversation=wanted)
    view = replace(it.known.views[CONVERSATION], policy=_view(answer).policy)
    async with world() as other:
        other.known.views[CONVERSATION] = view
        await other.dispatch(1)
        assert (await other.dispatch(2)).state is State.QUEUED
        said = [event for event in await other.history() if event.HasField("turn_accepted")]
        assert [event.turn_accepted.policy for event in said] == [VALUE, VALUE]
        assert Lane(turns={turn_id(1): ActiveTurn(TURN)}).before(Policy(VALUE))


def test_a_row_of_a_newer_server_is_read() -> None:
    """An error for a reason to come is one without a name; the rest stays as it is."""
    outcome = Outcome(State.FAILED, DomainError(Reason.MODEL_TIMEOUT, model="a/b"))
    row = to_row(TURN.ended(outcome, 2, has_reply=False))
    row["outcome_json"] = row["outcome_json"].replace(b"MODEL_TIMEOUT", b"TOOL_ON_FIRE")
    row["order_json"] = row["order_json"][:-1] + b',"tools":["hammer"]}'
    found = from_row(SimpleNamespace(**row))
    assert isinstance(found, Turn)
    assert found.outcome is not None
    assert found.outcome.error is not None
    assert (found.outcome.error.reason, found.order.policy) == (Reason.INTERNAL, VALUE)


async def test_an_order_keeps_what_this_version_does_not_read(database: Database) -> None:
    """Whoever takes a turn over changes where it is, and not what was asked for."""
    store = SqlTurnStore(database)
    await store.add(TURN)
    said = to_row(TURN)["order_json"][:-1] + b',"tools":["hammer"]}'
    await database.write(lambda c: c.execute(update(turns).values(order_json=said)))
    await store.put(TURN.started(5))
    row = await database.read(lambda c: c.execute(select(turns)).one())
    assert (row.order_json, row.content, row.attempt) == (said, b"hello", 1)
    await store.close()


def test_a_step_of_an_answer_to_come_is_passed_over() -> None:
    """It is no end: that would be without a model, and free of charge."""
    step = newer("integration.v1.GenerateResponse")()
    step.newer.text = "newer"
    sent = step.SerializeToString()
    assert _reply(integration_service_pb2.GenerateResponse.FromString(sent)) == ModelReply()
