"""A server ends while answers stream; its next life goes on, and clients rejoin by themselves."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL, TURN_POLICY_QUEUE
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.robustness.history import History
from tests.proofs.robustness.traffic import (
    Talker,
    caught_up,
    follow,
    note,
    read_state,
    write,
)
from tests.proofs.robustness.validators import violations

DELTAS, GAP_MS = 60, 5.0
ROUND_S = 40.0
ECHO = " ".join(f"wörd{at}" for at in range(20))


@dataclass(slots=True)
class Killed:
    """What came of the rounds: what was wrong in which, how turns ended, how long it took."""

    rounds: int = 0
    wrong: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    @property
    def line(self) -> str:
        """All of it in a line."""
        states = ", ".join(f"{n} {state}" for state, n in sorted(self.states.items()))
        return (
            f"kill: {self.rounds - len({it.split(':')[0] for it in self.wrong})} of "
            f"{self.rounds} rounds right; turns: {states}; "
            f"slowest round {self.slowest_s:.1f} s"
        )


@asynccontextmanager
async def server_with_model(home: Path) -> AsyncIterator[ServerProcess]:
    """A server whose model answers in pieces of 5 ms."""
    async with FakeEndpoint(Behaviour(deltas=DELTAS, gap_ms=GAP_MS)) as endpoint:
        models = [openai_model("fake/ok", endpoint.base_url)]
        async with ServerProcess(home, models=models) as server:
            yield server


async def kill_rounds(home: Path, rounds: int, seed: int) -> Killed:
    """So many ends, each at a random moment of an answer.

    Each fourth life is killed too, while it starts; the last one is told to end.
    """
    chance, came = random.Random(seed), Killed()
    async with server_with_model(home) as server:
        for number in range(1, rounds + 1):
            began = time.monotonic()
            async with asyncio.timeout(ROUND_S):
                wrong = await _round(server, chance, came, number)
            came.rounds += 1
            came.wrong += [f"round {number}: {it}" for it in wrong]
            came.slowest_s = max(came.slowest_s, time.monotonic() - began)
        if code := await server.terminate():
            came.wrong.append(f"exit: the server ended with {code}")
        came.wrong += [f"log: {line}" for line in server.defects]
    return came


async def _round(
    server: ServerProcess, chance: random.Random, came: Killed, number: int
) -> list[str]:
    policy = TURN_POLICY_PARALLEL if number % 3 == 0 else TURN_POLICY_QUEUE
    async with server.client() as client, server.client() as other:
        conversation = (await client.create_conversation(policy=policy)).conversation_id
        author = f"users/{(await client.who_am_i()).user.user_id}"
        history = History(author=author, sent=[])
        follower, converser = history.reader("follower"), history.reader("converser", None)
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            following = group.create_task(follow(other, conversation, follower))
            writing = group.create_task(write(other, conversation, history, stopping))
            async with client.converse(
                conversation, on_event=lambda event: note(converser, event)
            ) as talk:
                talker = Talker(talk, history, converser)
                await _end_in_mid_answer(server, talker, chance, number)
                stopping.set()
                await writing
                await caught_up(client, conversation, [follower, converser])
            following.cancel()
        await read_state(client, conversation, history)
    came.states.update(talker.states)
    return violations(history)


async def _end_in_mid_answer(
    server: ServerProcess, talker: Talker, chance: random.Random, number: int
) -> None:
    """Ask, end it at a random moment, start again, and ask once more."""
    async with asyncio.TaskGroup() as group:
        group.create_task(talker.turn("What is the capital of France?"))
        if number % 2 == 0:
            group.create_task(talker.turn(ECHO, handler="echo"))
        await asyncio.sleep(chance.uniform(0.0, 1.1 * DELTAS * GAP_MS / 1000))
        await server.kill()
        if number % 4 == 0:
            await _stumble(server, chance)
        await server.start()
    await talker.turn("still there?", handler="echo")


async def _stumble(server: ServerProcess, chance: random.Random) -> None:
    """A life that is killed while it starts, or takes over what the one before left."""
    await server.spawn()
    await asyncio.sleep(chance.uniform(0.3, 1.5))
    await server.kill()
