"""What people do with turns that wait for them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from antiphon.dispatcher.v1 import handoff_service_pb2 as pb
from antiphon_server.dispatcher.calls import Caller
from antiphon_server.dispatcher.fronts import Front
from antiphon_server.dispatcher.handlers.people import People
from antiphon_server.dispatcher.handoff_calls import HandoffCallsHere
from antiphon_server.dispatcher.handoff_model import (
    Handoff,
    HandoffRole,
    PastHandoff,
    QueuedHandoff,
)
from antiphon_server.dispatcher.model import ConversationView, TurnId
from antiphon_server.dispatcher.ports import Words
from antiphon_server.dispatcher.turn_handoffs import TurnHandoffs
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.dispatcher.world import ANNA, CONVERSATION, Known, World, world
from tests.e2e.until import SOON_S, until_it

BOB = Principal("user", UserId("user_bob"), SessionId("sess_2"))
KEY = b"key"


class Cuts(Known):
    """A filter cuts all that is said to one word."""

    async def screened_words(
        self, view: ConversationView, author: str, turn_id: TurnId, words: Words
    ) -> Sequence[str]:
        """Its first."""
        return [said.split()[0] for said, _ in words]


@pytest.fixture
async def it() -> AsyncIterator[World]:
    async with world(more=[People()]) as made:
        yield made


async def handed(it: World) -> str:
    """The id of a hand-off that waits."""
    await it.dispatch(handler="people")

    async def waits() -> bool:
        return bool(await it.queue.list("ws_00000001", (0, ""), 1))

    await until_it(waits)
    return "hand_00000001_1"


def calls(it: World) -> HandoffCallsHere:
    """Behind a filter that cuts what is said."""
    view = replace(it.known.views[CONVERSATION], filtered=True)
    return HandoffCallsHere(it.handoffs, Front(Cuts({CONVERSATION: view})), KEY)


async def test_another_answer_is_no_repetition(it: World) -> None:
    """Also where filters have left the same of both; the same is answered as before."""
    this = {"conversation_id": CONVERSATION, "handoff_id": await handed(it)}
    first = pb.AnswerHandoffRequest(**this, text="first one")
    anna = Caller(ANNA, ())
    answered = await calls(it).reply(first, anna)
    assert await calls(it).reply(first, anna) == answered
    assert ("first", False) in await it.messages()
    with pytest.raises(DomainError) as refused:
        await calls(it).reply(pb.AnswerHandoffRequest(**this, text="first two"), anna)
    assert refused.value.reason is Reason.HANDOFF_ENDED


async def test_a_claim_ends_with_the_right_to_answer(it: World) -> None:
    """Who claimed it and was removed keeps nobody from it; until then others are."""
    where = CONVERSATION, await handed(it)
    await it.handoffs.claim(BOB, *where, over=False)
    with pytest.raises(DomainError) as refused:
        await it.handoffs.claim(ANNA, *where, over=False)
    assert refused.value.reason is Reason.HANDOFF_CLAIMED
    it.door.gone.add(BOB.actor)
    assert (await it.handoffs.claim(ANNA, *where, over=False)).claimed_by == ANNA.actor
    it.door.gone = {ANNA.actor}
    assert not (await it.handoffs.release(BOB, *where)).claimed_by
    it.door.gone = set()
    await it.handoffs.claim(ANNA, *where, over=False)
    it.door.gone = {ANNA.actor}
    request = {"conversation_id": CONVERSATION, "handoff_id": where[1]}
    await calls(it).reply(pb.AnswerHandoffRequest(**request, text="mine"), Caller(BOB, ()))


async def test_a_claim_that_is_repeated_is_in_the_queue(it: World) -> None:
    """The queue is written behind the log, and may have been away."""
    where = CONVERSATION, await handed(it)
    put = it.queue.put

    async def away(queued: QueuedHandoff) -> None:
        raise DomainError(Reason.STORE_UNAVAILABLE)

    it.queue.put = away  # type: ignore[method-assign]
    with pytest.raises(DomainError):
        await it.handoffs.claim(BOB, *where, over=False)
    it.queue.put = put  # type: ignore[method-assign]
    await it.handoffs.claim(BOB, *where, over=False)
    (found,) = await it.queue.list("ws_00000001", (0, ""), 9)
    assert found.handoff.claimed_by == BOB.actor


async def test_a_change_is_waited_for_from_the_call_on() -> None:
    """What changes before the waiting task runs is no wait for the next change."""
    handoffs = TurnHandoffs()
    waiting = handoffs.changed()
    handoffs.find_out(PastHandoff(Handoff("hand_1", "", HandoffRole.MEMBER, "", 0, 0)))
    async with asyncio.timeout(SOON_S):
        await waiting
