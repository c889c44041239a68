"""Stop means stop: the model's connection is aborted at once, what is stored was delivered."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from statistics import median

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon_client import Client, LiveConversation, TurnHandle, new_turn_id
from tests.e2e.server import ServerProcess
from tests.e2e.until import until
from tests.fakes.openai_behaviour import Behaviour, Seen
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.robustness.history import History, Reader, state_name
from tests.proofs.robustness.traffic import caught_up, follow, read_state, take_answer
from tests.proofs.robustness.validators import violations

pytestmark = pytest.mark.asyncio(loop_scope="module")
ABORT_S = 0.1
TIMES = 10
LONG = Behaviour(deltas=400, gap_ms=5)
SHORT = Behaviour(deltas=5, gap_ms=5)
LATE = Behaviour(deltas=5, first_byte_ms=20_000)


@dataclass(slots=True)
class Scene:
    """A conversation, who converses, and the endpoint behind the model."""

    endpoint: FakeEndpoint
    client: Client
    talk: LiveConversation
    conversation: str
    history: History
    reader: Reader

    async def post(self, behaviour: Behaviour) -> tuple[TurnHandle, "asyncio.Task[str]"]:
        """Ask the model, which answers as told; returns the turn and its reader's task."""
        self.endpoint.plan.append(behaviour)
        turn = await self.talk.post("go on")
        self.history.accepted_turns.append(turn.turn_id)
        return turn, asyncio.create_task(take_answer(turn, self.reader))

    async def asked(self, count: int) -> Seen:
        """Wait for the model to be asked for the ``count``th time."""
        await self.endpoint.wait_seen(count)
        return self.endpoint.seen[-1]

    async def answered(self, turn: TurnHandle) -> None:
        """Wait for the beginning of an answer."""
        await until(lambda: bool(self.reader.told.get(turn.turn_id)))

    async def settled(self) -> list[str]:
        """What is wrong once all is said; a moment is left for what must not come any more."""
        await asyncio.sleep(0.2)
        await caught_up(self.client, self.conversation, self.history.readers)
        await read_state(self.client, self.conversation, self.history)
        return violations(self.history)


@pytest_asyncio.fixture(loop_scope="module")
async def scene(endpoint: FakeEndpoint, server: ServerProcess) -> AsyncIterator[Scene]:
    """A new conversation, followed from its beginning."""
    endpoint.seen.clear()
    endpoint.plan.clear()
    async with server.client() as client:
        conversation = (await client.create_conversation()).conversation_id
        history = History()
        follower, reader = history.reader("follower"), history.reader("converser", None)
        following = asyncio.create_task(follow(client, conversation, follower))
        async with client.converse(conversation, on_event=reader.note) as talk:
            yield Scene(endpoint, client, talk, conversation, history, reader)
        following.cancel()
        await asyncio.wait([following])


def state(turn: Turn) -> str:
    return state_name(turn.state)


async def test_before_dispatch(scene: Scene) -> None:
    """A turn that is stopped before it comes posts nothing and asks no model."""
    for _ in range(TIMES):
        turn_id = new_turn_id()
        assert state(await scene.client.cancel_turn(scene.conversation, turn_id)) == "CANCELLED"
        came = await scene.client.dispatch(scene.conversation, "too late", turn_id=turn_id)
        assert state(came.turn) == "CANCELLED"
        assert state(await scene.client.cancel_turn(scene.conversation, turn_id)) == "CANCELLED"
    assert await scene.settled() == []
    assert scene.history.messages == []
    assert {fact.kind for fact in scene.history.log} == {
        "conversation_created",
        "member_added",
        "turn_finished",
    }
    assert not scene.endpoint.seen


async def test_before_the_first_token(scene: Scene) -> None:
    """A model that has said nothing yet is aborted within 100 ms, and nothing is stored."""
    took = []
    for count in range(1, TIMES + 1):
        turn, answer = await scene.post(LATE)
        asked = await scene.asked(count)
        took.append(await aborted_after(scene, turn, asked))
        assert await answer == "CANCELLED"
        assert scene.reader.told[turn.turn_id] == ""
    assert median(took) < ABORT_S  # of each of them where the machine has nothing else to do
    assert await scene.settled() == []
    assert len(scene.history.messages) == TIMES  # the questions


async def test_in_mid_stream(scene: Scene) -> None:
    """A model that speaks is aborted within 100 ms; what was delivered is kept, cut off there."""
    took = []
    for count in range(1, TIMES + 1):
        turn, answer = await scene.post(LONG)
        asked = await scene.asked(count)
        await scene.answered(turn)
        await asyncio.sleep(0.02 * count)
        took.append(await aborted_after(scene, turn, asked))
        assert await answer == "CANCELLED"
        assert asked.sent < LONG.deltas
        told = scene.reader.told[turn.turn_id]
        assert 0 < len(told) <= len(LONG.text) * asked.sent
    assert median(took) < ABORT_S
    assert await scene.settled() == []
    replies = [it async for it in scene.client.list_messages(scene.conversation) if it.truncated]
    assert len(replies) == TIMES


async def test_after_the_end(scene: Scene) -> None:
    """A turn that has ended stays as it is."""
    for _ in range(TIMES):
        turn, answer = await scene.post(SHORT)
        assert await answer == "SUCCEEDED"
        assert state(await turn.cancel()) == "SUCCEEDED"
        again = await scene.client.cancel_turn(scene.conversation, turn.turn_id)
        assert state(again) == "SUCCEEDED"
    assert await scene.settled() == []
    assert all(seen.aborted is None for seen in scene.endpoint.seen)


async def test_at_any_moment(scene: Scene) -> None:
    """Whenever the stop comes, the turn has one end, and what is stored was delivered."""
    chance = random.Random(3)
    states = []
    for _ in range(3 * TIMES):
        turn, answer = await scene.post(SHORT)
        await asyncio.sleep(chance.uniform(0.0, 0.05))
        stops = [turn.cancel(), scene.client.cancel_turn(scene.conversation, turn.turn_id)]
        stopped = {state(it) for it in await asyncio.gather(*stops)}
        states.append(await answer)
        assert stopped == {states[-1]}
    assert await scene.settled() == []
    assert set(states) <= {"CANCELLED", "SUCCEEDED"}


async def test_after_cancel_returns_no_text_comes(scene: Scene) -> None:
    """When CancelTurn has returned, the log has the turn's end as its last word."""
    for _ in range(TIMES):
        turn, answer = await scene.post(LONG)
        await asyncio.sleep(0.05)
        await scene.client.cancel_turn(scene.conversation, turn.turn_id)
        head = await scene.client.get_head(f"conversations/{scene.conversation}")
        assert await answer == "CANCELLED"
        await asyncio.sleep(0.05)
        later = await scene.client.get_head(f"conversations/{scene.conversation}")
        assert later.last_offset == head.last_offset
    assert await scene.settled() == []


async def test_waiting_turns_are_stopped_unasked(scene: Scene) -> None:
    """A turn that waits for another is stopped without its model being asked."""
    first, first_answer = await scene.post(LONG)
    await scene.asked(1)
    waiting = await scene.talk.post("me too")
    assert state(await waiting.cancel()) == "CANCELLED"
    assert not first.done
    await first.cancel()
    assert await first_answer == "CANCELLED"
    assert await scene.settled() == []
    assert len(scene.endpoint.seen) == 1


async def test_leaving_stops_nothing(scene: Scene) -> None:
    """A turn goes on to its end when the one who asked has gone."""
    scene.endpoint.plan.append(Behaviour(deltas=40, gap_ms=5))
    async with scene.client.converse(scene.conversation) as talk:
        turn = await talk.post("go on without me")
    asked = await scene.asked(1)
    await until(lambda: asked.ended is not None)
    await asyncio.sleep(0.1)
    assert await scene.settled() == []
    assert scene.history.turns == {turn.turn_id: "SUCCEEDED"}


async def aborted_after(scene: Scene, turn: TurnHandle, asked: Seen) -> float:
    """Stop a turn; returns the seconds from the call to the abort that its model saw."""
    began = time.monotonic()
    stopped, _ = await asyncio.gather(turn.cancel(), scene.endpoint.wait_aborted())
    assert state(stopped) == "CANCELLED"
    assert asked.aborted is not None
    return asked.aborted - began
