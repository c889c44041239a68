"""A turn at a worker, from its assignment to its end, in the log of a real dispatcher."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from antiphon.context.v1.message_pb2 import Message, Part, Reference
from antiphon_server.dispatcher.handling import Usage
from antiphon_server.events.model import Append, Appended, Folded, Scope
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers.frames import (
    Accepted,
    Ack,
    AskedQuestion,
    Assign,
    CallBegun,
    CallEnded,
    Finished,
    Progressed,
    Written,
)
from antiphon_server.workers.session import Session
from tests.dispatcher.masks import NoBirds, filters_stand
from tests.dispatcher.world import turn_id
from tests.e2e.until import SOON_S
from tests.workers.served import LEFT, Served, holding, served
from tests.workers.stand_ins import LIMITS, session, told


@pytest.fixture
async def it() -> AsyncIterator[Served]:
    async with served() as made:
        yield made


def assigns(worker: Session) -> list[Assign]:
    """Those that wait for the worker, taken with all else."""
    return [it for it in told(worker) if isinstance(it, Assign)]


async def test_a_worker_that_is_back_while_its_turn_is_committed_has_it(it: Served) -> None:
    """The log says so after it came: it is told on the stream that it has then, in one attempt."""
    append, asked, go_on = it.turns.log_store.append, asyncio.Event(), asyncio.Event()

    async def slowly(batch: Sequence[Append]) -> list[Appended | DomainError]:
        if any(b"worker_00000001" in event.body for one in batch for event in one.events):
            asked.set()
            await go_on.wait()
        return await append(batch)

    it.turns.log_store.append = slowly  # type: ignore[method-assign]
    it.comes(session())
    await it.turns.dispatch(handler="it")
    async with asyncio.timeout(SOON_S):
        await asked.wait()
    newest = it.comes(session())
    assert newest.turns == {}
    go_on.set()
    await it.assigned()
    assert [(each.turn.attempt, each.held) for each in assigns(newest)] == [(1, False)]
    assert newest.turns[turn_id(1)] is it.serving.assignments.live[turn_id(1)]


async def test_what_is_left_of_budgets_is_told_whenever_a_turn_begins(it: Served) -> None:
    """Also if its assign was lost with the worker's stream; who goes on with it knows it."""
    first = it.comes(session())
    await it.turns.dispatch(handler="it")
    await it.assigned()
    again = it.comes(session())
    again.hear(turn_id(1), 1, Accepted())
    back = it.comes(holding())
    heard = [(each.held, each.left) for one in (first, again, back) for each in assigns(one)]
    assert heard == [(False, LEFT), (False, LEFT), (True, ())]


async def test_of_an_end_whose_text_could_not_be_folded_its_worker_hears(it: Served) -> None:
    """It is in the log: nobody says it again, and the worker's slot is free."""
    failed = asyncio.Event()

    async def fails(scope: Scope, turn_id: str) -> Folded:
        failed.set()
        raise DomainError(Reason.STORE_UNAVAILABLE)

    it.turns.log_store.fold = fails  # type: ignore[method-assign]
    one = it.comes(session())
    await it.turns.dispatch(handler="it")
    await it.assigned()
    one.hear(turn_id(1), 1, Written(1, "one"))
    one.hear(turn_id(1), 1, Progressed(2, "between text and end nothing is folded with the end"))
    await it.turns.seen("turn_progressed")
    one.hear(turn_id(1), 1, Finished(2))
    async with asyncio.timeout(SOON_S):
        await failed.wait()
    assert Ack(turn_id(1), 1, 2, finished=True) in told(one)
    assert (one.free, one.finished) == (1, 1)


async def test_what_a_worker_says_of_a_masked_answer_is_heard_and_lost_with_it() -> None:
    """It need not say again what is held back; so nobody else can go on behind it."""
    async with served(NoBirds()) as it:
        filters_stand(it.turns)
        one = it.comes(session())
        await it.turns.dispatch(handler="it")
        await it.assigned()
        one.hear(turn_id(1), 1, Accepted())
        one.hear(turn_id(1), 1, Written(1, "bluebi"))
        assignment = it.serving.assignments.live[turn_id(1)]
        async with asyncio.timeout(SOON_S):
            while True:
                if assignment._outputs.stored:
                    break
                await asyncio.sleep(0.001)
        assignment.look(time.monotonic() + 2 * LIMITS.lease_s)
        assert (await it.turns.failed()).reason is Reason.TURN_LOST


async def test_what_a_worker_says_beside_a_masked_answer_is_masked() -> None:
    """What it is at, what its own tools are told, and what they return."""
    async with served(NoBirds()) as it:
        filters_stand(it.turns)
        one = it.comes(session())
        await it.turns.dispatch(handler="it")
        await it.assigned()
        one.hear(turn_id(1), 1, Accepted())
        one.hear(turn_id(1), 1, Written(1, "a blue"))
        twice = '{"what": "blue\\u0062ird", "what": "fish", "bluebird": 1}'
        one.hear(turn_id(1), 1, CallBegun(2, "find", twice))
        parts = [Part(text="a blue"), Part(text="bird"), Part(file=Reference(uri="x:bluebird"))]
        result = Message(parts=parts).SerializeToString()
        one.hear(turn_id(1), 1, CallEnded(3, 2, result, failed=False))
        one.hear(turn_id(1), 1, Progressed(4, "feeding a bluebird", None))
        await it.turns.seen("turn_progressed")
        one.hear(turn_id(1), 1, Written(5, "bird flies"))
        one.hear(turn_id(1), 1, Finished(5, usage=Usage(), model="bluebird"))
        await it.turns.ended()
        events = await it.turns.history()
        masked = [it for it in events if b"[term]" in it.SerializeToString()]
        assert {it.WhichOneof("payload") for it in masked} == {
            "tool_call_proposed",
            "tool_call_started",
            "tool_call_finished",
            "turn_progressed",
            "message_posted",
            "turn_finished",
        }
        assert not [it for it in events if b"bluebird" in it.SerializeToString()]
        assert (await it.turns.messages())[1] == ("a blue[term] flies", False)


async def test_what_a_worker_asks_people_of_a_masked_answer_is_masked() -> None:
    """In the question and in its call."""
    async with served(NoBirds()) as it:
        filters_stand(it.turns)
        one = it.comes(session())
        await it.turns.dispatch(handler="it")
        await it.assigned()
        one.hear(turn_id(1), 1, Accepted())
        one.hear(turn_id(1), 1, AskedQuestion(1, "Which bluebird?", ""))
        await it.turns.seen("tool_call_question_asked")
        events = await it.turns.history()
        asked = [it.tool_call_question_asked.question.message for it in events]
        assert [message for message in asked if message] == ["Which [term]?"]
        assert not [it for it in events if b"bluebird" in it.SerializeToString()]


async def test_a_form_with_something_that_is_masked_is_not_asked() -> None:
    """What it names can't be hidden, and people would see it; its worker is told."""
    async with served(NoBirds()) as it:
        filters_stand(it.turns)
        one = it.comes(session())
        await it.turns.dispatch(handler="it")
        await it.assigned()
        one.hear(turn_id(1), 1, Accepted())
        form = '{"type": "object", "properties": {"a": {"type": "string", "title": "bluebird"}}}'
        one.hear(turn_id(1), 1, AskedQuestion(1, "Which?", form))
        assert (await it.turns.failed()).reason is Reason.INVALID_ARGUMENT
