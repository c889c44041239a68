"""Syncs and writes that fail under a running server, at random moments; sometimes it is killed."""

import asyncio
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL
from antiphon_client import Client
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import until
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.robustness.disk.injection import Refusal, refused, refusing
from tests.proofs.robustness.disk.logged import unexcused
from tests.proofs.robustness.disk.people import ALLOWED, BROKEN, People
from tests.proofs.robustness.history import History
from tests.proofs.robustness.traffic import caught_up, follow, follow_in_bits, read_state
from tests.proofs.robustness.validators import violations

RECOVERY_S = 20.0
TURNS_END_S = 60.0
KINDS = (
    ("fdatasync", "EIO"),
    ("fdatasync", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("pwrite64", "ENOSPC"),
    ("pread64", "EIO"),
    ("ftruncate", "EIO"),
)


@dataclass(slots=True)
class Faults:
    """What came of the rounds. ``answers`` are the refusals that clients got."""

    what: str = "faults"
    rounds: int = 0
    killed: int = 0
    refused: int = 0
    accepted: int = 0
    seen: int = 0
    slowest_recovery_s: float = 0.0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it in a line."""
        answers = ", ".join(f"{n} {what}" for what, n in sorted(self.answers.items()))
        return (
            f"{self.what}: {self.rounds} rounds, {self.refused} calls refused by strace, "
            f"{self.killed} kills; {self.accepted} posts and turns accepted, "
            f"{self.seen} events seen; clients were told: {answers or 'nothing'}; slowest "
            f"recovery {self.slowest_recovery_s:.1f} s; {len(self.wrong)} violations "
            f"({self.seconds:.0f} s)"
        )


async def disk_faults(home: Path, rounds: int, seed: int) -> Faults:
    """So many rounds on one store, which is examined at the end."""
    chance, came, began = random.Random(seed), Faults(), time.monotonic()
    async with FakeEndpoint(Behaviour(deltas=20, gap_ms=5.0)) as endpoint:
        models = [openai_model("fake/ok", endpoint.base_url)]
        async with ServerProcess(home, models=models) as server:
            for number in range(1, rounds + 1):
                kill = number % 3 == 0
                wrong = await _round(server, chance, came, home / f"refused{number}", kill=kill)
                came.rounds += 1
                came.killed += kill
                came.wrong += [f"round {number}: {it}" for it in wrong]
    came.wrong += store_defects(server.data_dir, home / "examined")
    came.wrong += unexcused(server.defects)
    came.seconds = time.monotonic() - began
    return came


async def _round(
    server: ServerProcess, chance: random.Random, came: Faults, trace: Path, *, kill: bool
) -> list[str]:
    refusals, seconds = _fault(chance), chance.uniform(0.3, 2.0)
    async with server.client() as client:
        made = await client.create_conversation(policy=TURN_POLICY_PARALLEL)
        people = People(client, made.conversation_id, History())
        async with watched(client, people, chance):
            async with asyncio.TaskGroup() as group:
                for work in people.works():
                    group.create_task(work)
                await asyncio.sleep(chance.uniform(0.05, 0.3))
                async with refusing(server.pid, refusals, trace):
                    await asyncio.sleep(seconds)
                    if kill:
                        await server.kill()
                if kill:
                    await server.start()
                came.slowest_recovery_s = max(came.slowest_recovery_s, await recovered(people))
                people.stopping.set()
            wrong = await settled(client, people)
    came.refused += refused(trace)
    return wrong + judged(people, came, broken=kill)


def _fault(chance: random.Random) -> Sequence[Refusal]:
    name, error = chance.choice(KINDS)
    first, step = chance.randint(1, 10), chance.choice(("", "+1", "+1", "+2", "+3", "+7"))
    return [Refusal(name, error, f"{first}{step}")]


@asynccontextmanager
async def watched(client: Client, people: People, chance: random.Random) -> AsyncIterator[None]:
    """Let two follow for the block's time, one of them with pauses."""
    history, conversation = people.history, people.conversation_id
    tasks = [
        asyncio.create_task(follow(client, conversation, history.reader("follower"))),
        asyncio.create_task(follow_in_bits(client, conversation, history.reader("comer"), chance)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error


async def recovered(people: People) -> float:
    """Wait until posts and turns are accepted again; how long that took. Raises TimeoutError."""
    began, history = time.monotonic(), people.history
    messages = len(history.accepted_messages) + 2
    turns = len(history.accepted_turns) + 2 if people.turns else 0
    await until(
        lambda: len(history.accepted_messages) >= messages and len(history.accepted_turns) >= turns,
        RECOVERY_S,
    )
    return time.monotonic() - began


async def settled(client: Client, people: People) -> list[str]:
    """Wait until every turn has ended, and read what is stored."""
    conversation, wrong = people.conversation_id, []
    try:
        async with asyncio.timeout(TURNS_END_S):
            while True:
                turns = [turn async for turn in client.list_turns(conversation)]
                if all(turn.HasField("end_time") for turn in turns):
                    break
                await asyncio.sleep(0.1)
    except TimeoutError:
        wrong.append(f"turns have not ended {TURNS_END_S:.0f} s later")
    await caught_up(client, conversation, people.history.readers)
    await read_state(client, conversation, people.history)
    return wrong


def judged(people: People, came: Faults, *, broken: bool) -> list[str]:
    """What was promised, seen and said, against what is stored."""
    history = people.history
    came.accepted += len(history.accepted_messages) + len(history.accepted_turns)
    came.seen += sum(len(reader.seen) for reader in history.readers)
    came.answers += people.answers
    allowed = ALLOWED | BROKEN if broken else ALLOWED
    wrong = [f"a client was told {it}" for it in people.answers if it not in allowed]
    stored = {fact.text for fact in history.log if fact.kind == "message_posted"}
    wrong += [f"{it!r} was refused, and is there" for it in people.refused if it in stored]
    return violations(history) + wrong


def store_defects(data_dir: Path, copy: Path) -> list[str]:
    """What SQLite finds wrong with the store of a stopped server, in a ``copy`` of it."""
    shutil.copytree(data_dir, copy)
    with sqlite3.connect(copy / "antiphon.db") as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    connection.close()
    shutil.rmtree(copy)
    return [f"integrity: {line}" for line in found if line != "ok"]
