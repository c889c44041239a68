"""Who works on a stage: each of a kind has a client of its own, behind a wire of its own."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchResponse
from antiphon_client import Client
from antiphon_client.errors import HistoryLost
from antiphon_client.ids import new_turn_id
from tests.e2e.until import until
from tests.proofs.robustness.history import Reader
from tests.proofs.robustness.returning import Returner
from tests.proofs.robustness.stage import Scene, Stage
from tests.proofs.robustness.streams import RawReader
from tests.proofs.robustness.traffic import (
    AT_LENGTH,
    Talker,
    caught_up,
    follow_in_bits,
    insist,
    note_stop,
    note_told,
    write,
)

SHOUT = 100_000
Work = Callable[[Stage, str], Coroutine[Any, Any, None]]


def scene_of(stage: Stage, name: str) -> Scene:
    """Where somebody works, by the number in the name."""
    return stage.scenes[int(name.rpartition(" ")[2]) % len(stage.scenes)]


async def _talker(stage: Stage, name: str) -> None:
    """Converses: turn after turn, some of them stopped."""
    scene, client = scene_of(stage, name), await stage.client()
    reader = scene.history.reader(name, None)
    async with client.converse(scene.conversation_id, on_event=reader.note) as talk:
        talker = Talker(talk, scene.history, reader, client)
        await talker.run(stage.stopping, stage.chance(name))
        stage.states.update(talker.states)
        if talker.states:  # who came in when all was over is told of nothing
            async with stage.sure() as sure:
                await caught_up(sure, scene.conversation_id, [reader])


async def _writer(stage: Stage, name: str) -> None:
    """Posts messages."""
    scene, client = scene_of(stage, name), await stage.client()
    gap_s = stage.chance(name).uniform(0.02, 0.15)
    await write(client, scene.conversation_id, scene.history, stage.stopping, gap_s)


async def _shouter(stage: Stage, name: str) -> None:
    """Posts messages so long that the server does not keep them in memory for long."""
    scene, client = scene_of(stage, name), await stage.client()
    more = "!" * SHOUT
    await write(client, scene.conversation_id, scene.history, stage.stopping, 0.03, more)


async def _twin(stage: Stage, name: str) -> None:
    """Does by unary calls and Follow what a talker does by Converse."""
    scene, client, chance = scene_of(stage, name), await stage.client(), stage.chance(name)
    reader = scene.history.reader(name, 0)
    following = asyncio.create_task(_follow(client, scene, reader))
    try:
        while not stage.stopping.is_set():
            await _unary_turn(stage, scene, client, reader, chance)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _unary_turn(
    stage: Stage, scene: Scene, client: Client, reader: Reader, chance: random.Random
) -> None:
    turn_id, where = new_turn_id(), scene.conversation_id
    when = chance.choice(["never", "never", "before", "after", "late"])
    handler = chance.choice(["", "echo"])
    text = f"{turn_id} {AT_LENGTH if when == 'after' else 'hi'} {'hi ' * 9}"
    sent = scene.history.say(text, turn_id=turn_id)

    async def post() -> DispatchResponse:
        sent.tried()
        return await client.dispatch(where, text, turn_id=turn_id, handler=handler)

    async def stop() -> None:
        stopped = await insist(lambda: client.cancel_turn(where, turn_id))
        early = when == "before"
        await note_stop(client, scene.history, where, stopped, early=early)

    if when == "before":
        await stop()
    for _ in range(chance.choice([1, 1, 1, 2])):  # now and then as if the answer had not come
        answer = await insist(post)
        sent.answered(answer.turn.message_id)
    if not answer.turn.message_id:  # it was stopped before it came
        return
    scene.history.accepted_turns.append(turn_id)
    if when in ("after", "late"):
        await asyncio.sleep(chance.uniform(0.0, 0.2))
        if when == "late":
            await until(lambda: turn_id in reader.ended)
        await stop()
    await until(lambda: turn_id in reader.ended)
    stage.states[reader.ended[turn_id]] += 1
    await note_told(client, scene.history, where, turn_id, reader.ended[turn_id])


async def _follow(client: Client, scene: Scene, reader: Reader) -> None:
    """Follow from the earliest place, over whatever happens, until cancelled."""

    async def begin_again(lost: HistoryLost) -> str:
        reader.lost(int(lost.metadata["earliest_offset"]))
        return lost.earliest_cursor

    async for event in client.follow(scene.scope, earliest=True, on_history_lost=begin_again):
        reader.note(event)


async def _follower(stage: Stage, name: str) -> None:
    """Follows by the client library."""
    scene = scene_of(stage, name)
    await _follow(await stage.client(), scene, scene.history.reader(name, lasts=True))


async def _comer(stage: Stage, name: str) -> None:
    """Follows by the client library, comes and goes with a stored cursor."""
    scene, client = scene_of(stage, name), await stage.client()
    reader = scene.history.reader(name, lasts=True)
    await follow_in_bits(client, scene.conversation_id, reader, stage.chance(name))


async def _subscriber(stage: Stage, name: str) -> None:
    """Reads all conversations on one Subscribe stream, with watches added and ended."""
    await RawReader(stage, name, await stage.client()).subscribe()


async def _updater(stage: Stage, name: str) -> None:
    """Reads all conversations on one Follow stream, with watches added and ended."""
    await RawReader(stage, name, await stage.client()).follow()


async def _returner(stage: Stage, name: str) -> None:
    """Comes back with cursors from long ago."""
    scene = scene_of(stage, name)
    await Returner(stage, name, scene, await stage.client()).run(stage.chance(name))


# Workers end by themselves when the stage is stopping; readers are cancelled.
WORKERS: Mapping[str, Work] = {
    "talker": _talker,
    "writer": _writer,
    "shouter": _shouter,
    "twin": _twin,
    "returner": _returner,
}
READERS: Mapping[str, Work] = {
    "follower": _follower,
    "comer": _comer,
    "subscriber": _subscriber,
    "updater": _updater,
}
