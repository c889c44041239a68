"""Whoever ends a hand-off at the same moment, it ends once; and turns that wait hold no place."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import (
    TURN_STATE_CANCELLED,
    TURN_STATE_FAILED,
    TURN_STATE_SUCCEEDED,
    Event,
)
from antiphon.events.v1.handoff_pb2 import (
    HANDOFF_END_ANSWERED,
    HANDOFF_END_DECLINED,
    HANDOFF_END_EXPIRED,
    HANDOFF_END_RETURNED,
)
from antiphon_client import AntiphonError, Client, text_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROUNDS, MANY = 60, 200
LONG = " ".join(["word"] * 40)
EXPIRE_S = (0.005, 0.01, 0.02, 60.0)
_SHARES = {"turns": 1000, "running": 4, "streams": 4000, "user": 1, "workspace": 1}
STATES = {
    HANDOFF_END_ANSWERED: TURN_STATE_SUCCEEDED,
    HANDOFF_END_RETURNED: TURN_STATE_SUCCEEDED,
    HANDOFF_END_DECLINED: TURN_STATE_FAILED,
    HANDOFF_END_EXPIRED: TURN_STATE_FAILED,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    home, variables = tmp_path_factory.mktemp("races"), {"ANTIPHON_SHARES": json.dumps(_SHARES)}
    async with ServerProcess(home, variables=variables) as server, server.client() as client:
        yield client


@dataclass(slots=True)
class Race:
    """A turn that several people end at once, in an order of chance."""

    client: Client
    where: str
    turn_id: str
    handoff_id: str
    chance: random.Random

    async def run(self) -> list[Any]:
        """What each was told."""
        this = self.where, self.handoff_id
        wishes: list[Coroutine[Any, Any, Any]] = [
            self.client.answer_handoff(*this, "one"),
            self.client.answer_handoff(*this, "two"),
            self.client.decline_handoff(*this),
            self.client.return_handoff(*this, "echo"),
            self.client.cancel_turn(self.where, self.turn_id),
            self.client.claim_handoff(*this),
        ]
        self.chance.shuffle(wishes)
        return await asyncio.gather(*map(self._later, wishes), return_exceptions=True)

    async def _later(self, wish: Coroutine[Any, Any, Any]) -> Any:
        await asyncio.sleep(self.chance.choice([0, 0, 0.001, 0.003, 0.01]))
        return await wish

    async def events(self) -> list[Event]:
        """The turn's, up to its end."""
        events, found = self.client.follow(f"conversations/{self.where}", earliest=True), []
        async for event in events:
            if event.turn_id == self.turn_id:
                found.append(event)
            if event.HasField("turn_finished") and event.turn_id == self.turn_id:
                break
        return found


async def _handed(client: Client, where: str, expire_s: float) -> tuple[str, str]:
    """A turn that was handed off while it ran, and its hand-off."""
    turn_id = (await client.dispatch(where, LONG, handler="echo")).turn.turn_id
    await asyncio.sleep(0.05)
    expire_after = timedelta(seconds=expire_s)
    turn = await client.hand_off_turn(where, turn_id, expire_after=expire_after)
    return turn_id, turn.handoff.handoff_id


@pytest.mark.parametrize("seed", range(4))
async def test_it_ends_once_however_many_try(client: Client, seed: int) -> None:
    """The log has one end of the hand-off and one of the turn, and they agree."""
    chance = random.Random(seed)
    ends = set()
    for _ in range(ROUNDS // 4):
        where = (await client.create_conversation()).conversation_id
        race = Race(client, where, *await _handed(client, where, chance.choice(EXPIRE_S)), chance)
        told = await race.run()
        events = await race.events()
        ends.add(_judge(told, events))
    assert len(ends) > 1, "chance chose the same each time"


def _judge(told: list[Any], events: list[Event]) -> int:
    """The state of the turn, which all that is told and stored agrees with."""
    (finished,) = [it.turn_finished for it in events if it.HasField("turn_finished")]
    ended = [it.handoff_ended for it in events if it.HasField("handoff_ended")]
    answers = [it.message_posted.message for it in events if it.HasField("message_posted")]
    said = [text_of(it.parts) for it in answers if it.role == 2 and it.turn_id]
    assert len(ended) <= 1
    errors = {it.reason for it in told if isinstance(it, AntiphonError)}
    assert errors <= {"HANDOFF_ENDED"}, errors
    assert not [it for it in told if isinstance(it, Exception) and not _is_ours(it)]
    if not ended:
        assert finished.state == TURN_STATE_CANCELLED
    elif ended[0].end == HANDOFF_END_RETURNED:  # and may have been stopped behind that
        assert finished.state in (TURN_STATE_SUCCEEDED, TURN_STATE_CANCELLED)
    else:
        assert finished.state == STATES[ended[0].end]
    is_answered = bool(ended) and ended[0].end == HANDOFF_END_ANSWERED
    assert is_answered == bool(finished.answered_by)
    people = [it for it in told if isinstance(it, Turn) and it.answered_by]
    assert len(said) == 1 + is_answered, said
    assert (said[-1] in ("one", "two")) == is_answered
    assert bool(people) <= is_answered
    return finished.state


def _is_ours(error: Exception) -> bool:
    return isinstance(error, AntiphonError)


async def _has_ended(client: Client, where: str, turn_id: str) -> bool:
    return (await client.get_turn(where, turn_id)).HasField("end_time")


async def test_many_wait_and_hold_no_place(client: Client) -> None:
    """Two hundred turns wait for people where four may run; others run all the while."""
    waiting = []
    for _ in range(MANY):
        where = (await client.create_conversation()).conversation_id
        turn = (await client.dispatch(where, "said", handler="people")).turn
        waiting.append((where, turn.turn_id))

    async def all_wait() -> bool:
        turns = [await client.get_turn(*it) for it in waiting]
        return all(it.HasField("handoff") for it in turns)

    await until_it(all_wait)
    where = (await client.create_conversation()).conversation_id
    async with asyncio.timeout(10):
        turn = (await client.dispatch(where, "and this?", handler="echo")).turn
        await until_it(lambda: _has_ended(client, where, turn.turn_id))
    workspace = (await client.get_conversation(where)).workspace_id
    listed = [it async for it in client.list_handoffs(workspace)]
    assert len(listed) == len({it.handoff.handoff_id for it in listed}) == MANY
    for it in listed:
        await client.answer_handoff(it.conversation_id, it.handoff.handoff_id, "there")
    assert not [it async for it in client.list_handoffs(workspace)]
