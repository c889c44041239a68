"""People who make plain calls, and take every failure that reaches them for one."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from antiphon_client import AntiphonError, Client
from antiphon_client.ids import new_turn_id
from tests.proofs.robustness.history import Reader, state_name
from tests.proofs.robustness.people import Work, scene_of
from tests.proofs.robustness.stage import Scene, Stage
from tests.proofs.robustness.validators import ENDED

T = TypeVar("T")
PAUSE_S = 0.02
TURN_S = 60.0
PEOPLE = {"poster": 2, "reader": 2, "asker": 2, "talker": 1, "follower": 2}


@dataclass(slots=True)
class Calls:
    """How many calls were made, which failed, and how long the slowest one took.

    ``during`` is what was restarted last. Nobody goes on after ``most`` failures.
    """

    most: int = 1_000
    made: int = 0
    failed: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest: str = "-"
    during: str = "nothing"

    async def make(self, name: str, call: Awaitable[T]) -> T | None:
        """Make it as anybody would; None if it failed."""
        began, self.made = time.monotonic(), self.made + 1
        try:
            answer = await call
        except AntiphonError as error:
            took = time.monotonic() - began
            why = f"{error.code.name} {error.reason} {error}"
            self.failed.append(f"{self.during}: {name} failed after {took:.1f} s: {why}")
            if len(self.failed) > self.most:
                raise AssertionError(f"{self.most} calls have failed, the last: {why}") from error
            return None
        took = time.monotonic() - began
        if took > self.slowest_s:
            self.slowest_s, self.slowest = took, f"{name}, {self.during}"
        return answer


Person = Callable[[Stage, Calls, Scene, Client], Coroutine[Any, Any, None]]


def working(persons: Mapping[str, Person], calls: Calls) -> Mapping[str, Work]:
    """What such people do whose wires are left alone, and whose calls are counted."""

    def work_of(person: Person) -> Work:
        async def work(stage: Stage, name: str) -> None:
            async with stage.sure() as client:
                await person(stage, calls, scene_of(stage, name), client)

        return work

    return {kind: work_of(person) for kind, person in persons.items()}


async def _poster(stage: Stage, calls: Calls, scene: Scene, client: Client) -> None:
    """Posts messages."""
    for number in count():
        if stage.stopping.is_set():
            return
        sent = scene.history.say(f"message {number} {new_turn_id()}")
        sent.tried()
        posted = await calls.make(
            "PostMessage", client.post_message(scene.conversation_id, sent.text)
        )
        if posted is not None:
            sent.answered(posted.message_id)
            scene.history.accepted_messages.append(posted.message_id)
        await asyncio.sleep(PAUSE_S)


async def _reader(stage: Stage, calls: Calls, scene: Scene, client: Client) -> None:
    """Asks for what there is, of each service that can be asked."""
    where = scene.conversation_id
    asks: Mapping[str, Callable[[], Awaitable[object]]] = {
        "WhoAmI": client.who_am_i,
        "GetConversation": lambda: client.get_conversation(where),
        "ListMessages": lambda: _first(client.list_messages(where)),
        "GetHead": lambda: client.get_head(scene.scope),
        "ReadEvents": lambda: client.read_events(scene.scope, page_size=10),
        "ListModels": lambda: _first(client.list_models()),
        "ListTurns": lambda: _first(client.list_turns(where)),
    }
    while not stage.stopping.is_set():
        for name, ask in asks.items():
            await calls.make(name, ask())
            await asyncio.sleep(PAUSE_S)


async def _first(listed: AsyncGenerator[T, None]) -> T | None:
    async with aclosing(listed):
        return await anext(listed, None)


async def _asker(stage: Stage, calls: Calls, scene: Scene, client: Client) -> None:
    """Has turns by unary calls."""
    where = scene.conversation_id
    while not stage.stopping.is_set():
        turn_id = new_turn_id()
        sent = scene.history.say(f"{turn_id} hi", turn_id=turn_id)
        sent.tried()
        posted = await calls.make("Dispatch", client.dispatch(where, sent.text, turn_id=turn_id))
        if posted is None:
            await asyncio.sleep(PAUSE_S)
            continue
        sent.answered(posted.turn.message_id)
        scene.history.accepted_turns.append(turn_id)
        state = ""
        async with asyncio.timeout(TURN_S):
            while state not in ENDED:
                turn = await calls.make("GetTurn", client.get_turn(where, turn_id))
                state = state_name(turn.state) if turn is not None else ""
                await asyncio.sleep(2 * PAUSE_S)
        stage.states[state] += 1


async def _talker(stage: Stage, calls: Calls, scene: Scene, client: Client) -> None:
    """Converses."""
    async with client.converse(scene.conversation_id) as talk:
        while not stage.stopping.is_set():
            turn_id = new_turn_id()
            sent = scene.history.say(f"{turn_id} hello", turn_id=turn_id)
            sent.tried()
            turn = await calls.make("Converse", talk.post(sent.text, turn_id=turn_id))
            if turn is None:
                await asyncio.sleep(PAUSE_S)
                continue
            sent.answered()
            scene.history.accepted_turns.append(turn_id)
            result = await calls.make("Converse", asyncio.wait_for(turn.result(), TURN_S))
            stage.states[state_name(result.state) if result is not None else "?"] += 1
            await asyncio.sleep(PAUSE_S)


async def _follower(stage: Stage, calls: Calls, scene: Scene, client: Client) -> None:
    """Follows by the client library, until cancelled."""
    reader = scene.history.reader(f"follower {len(scene.history.readers)}", lasts=True)
    await calls.make("Follow", _follow(client, scene, reader))


async def _follow(client: Client, scene: Scene, reader: Reader) -> None:
    async for event in client.follow(scene.scope, earliest=True):
        reader.note(event)


WORKERS: Mapping[str, Person] = {
    "poster": _poster,
    "reader": _reader,
    "asker": _asker,
    "talker": _talker,
}
READERS: Mapping[str, Person] = {"follower": _follower}
