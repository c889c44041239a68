"""kill -9 of one of two servers under an answer: when its reader hears of it, and of the answer.

Each round a conversation's turn runs on the server that is killed. Somebody reads there, by one of
the ways in, and a raw stream at the other server reads with them.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.events.v1.event_pb2 import TURN_STATE_FAILED, TURN_STATE_SUCCEEDED, Event
from antiphon_client import Client
from antiphon_client.redial import Connection
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.proofs.bench.figures import percentile
from tests.proofs.robustness.mesh.deployment import (
    WAYS,
    Deployment,
    by_web,
    deployment,
    own_postgres,
)
from tests.proofs.robustness.traffic import AT_LENGTH

WITHIN_S = 3.0
LEASE_S = 15.0
WORDS = " ".join(f"w{number}" for number in range(150))  # 3 s of echo
ANSWERS: Mapping[str, tuple[str, int]] = {
    "echo": (WORDS, TURN_STATE_SUCCEEDED),
    "": (AT_LENGTH, TURN_STATE_FAILED),
}
"""What is said to each handler, and how its turn ends: an echo is resumed, a model's is lost."""


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds from the kill on.

    Until the reader was told, whose stream may have been on the other server; until the first event
    of the next attempt came to the reader, and to the raw stream; until the turn's end.
    """

    way: str
    handler: str
    told_s: float | None
    reader_s: float
    raw_s: float
    end_s: float


@dataclass(slots=True)
class Takeovers:
    """What came of all rounds."""

    rounds: list[Round] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def judge(self, within_s: float) -> None:
        """Note what took longer than was promised."""
        late = [it for it in self.rounds if it.raw_s > within_s]
        self.wrong += [f"taken over only after {it.raw_s:.1f} s ({it.way})" for it in late]

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        rounds = [{name: getattr(it, name) for name in Round.__slots__} for it in self.rounds]
        return {"name": "takeovers", "rounds": rounds, "violations": self.wrong}

    @property
    def line(self) -> str:
        """All of it in some lines."""
        told = [it.told_s for it in self.rounds if it.told_s is not None]
        rows = {
            "the reader is told": told,
            "the turn goes on or ends, at the reader": [it.reader_s for it in self.rounds],
            "… on a raw stream at the other server": [it.raw_s for it in self.rounds],
            "a model's turn has ended": [it.end_s for it in self.rounds if not it.handler],
        }
        shown = [
            f"  {name}: p50 {percentile(row, 50):.2f}, p99 {percentile(row, 99):.2f} s ({len(row)})"
            for name, row in rows.items()
            if row
        ]
        return "\n".join([f"takeovers: {len(self.rounds)} servers killed", *shown])


class Reading:
    """One stream of a conversation: the events that matter, and when the connection was lost."""

    def __init__(self) -> None:
        self.texts = asyncio.Event()
        self.went_on: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.end: asyncio.Future[tuple[float, Event]] = asyncio.get_running_loop().create_future()
        self.lost: list[float] = []

    def note(self, connection: Connection) -> None:
        """What the client is told of its connection."""
        if connection.state not in ("connected", "connecting"):
            self.lost.append(time.monotonic())

    async def read(self, client: Client, conversation: str) -> None:
        """Read until the turn's end."""
        async with aclosing(aiter(client.follow(f"conversations/{conversation}"))) as events:
            async for event in events:
                now = time.monotonic()
                if event.HasField("text_delta_appended"):
                    self.texts.set()
                if event.attempt > 1 and not self.went_on.done():
                    self.went_on.set_result(now)
                if event.HasField("turn_finished"):
                    self.end.set_result((now, event))
                    return


def _reader(made: Deployment, way: str, victim: ServerProcess, note: Any) -> Client:
    """Somebody who comes in that way; who calls servers themselves knows both, the victim first."""
    if way == "direct":
        others = [it for it in made.stage.servers if it is not victim]
        ports = [it.port for it in (victim, *others)]
        address = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
        return Client.connect(address, victim.key, on_connection=note)
    door = {"envoy": Client.connect, "web": by_web}[way]
    return door(f"127.0.0.1:{made.edges[0].port}", victim.key, on_connection=note)


@asynccontextmanager
async def _read_by(client: Client, reading: Reading, where: str) -> AsyncIterator[None]:
    async with client, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(reading.read(client, where))
        yield
        await task


async def kill_once(made: Deployment, way: str, handler: str, victim: ServerProcess) -> Round:
    """Kill the server of a turn, see what becomes of that, and start it again."""
    [survivor] = [it for it in made.stage.servers if it is not victim]
    said, state = ANSWERS[handler]
    own, raw = Reading(), Reading()
    reader = _reader(made, way, victim, own.note)
    async with asyncio.timeout(PATIENCE_S), victim.client() as there:
        where = (await there.create_conversation()).conversation_id
        async with (
            _read_by(reader, own, where),
            _read_by(survivor.client(), raw, where),
        ):
            await asyncio.sleep(0.5)  # both follow
            await there.dispatch(where, said, handler=handler)
            await asyncio.gather(own.texts.wait(), raw.texts.wait())
            began = time.monotonic()
            await victim.kill()
            reader_s, raw_s = await own.went_on - began, await raw.went_on - began
            at, end = await raw.end
    assert end.turn_finished.state == state
    told = next((then - began for then in own.lost if then > began), None)
    await victim.start()
    return Round(way, handler, told, reader_s, raw_s, at - began)


async def takeovers_of(home: Path, seed: str, kills: int, within_s: float = WITHIN_S) -> Takeovers:
    """So many kills of each server by turns: each way in, answers that go on and that are lost."""
    came, plan = Takeovers(), list(itertools.product(WAYS, ANSWERS))
    async with (
        own_postgres() as postgres,
        deployment(home, seed, postgres, lease_s=LEASE_S) as made,
    ):
        for number in range(kills):
            way, handler = plan[number % len(plan)]
            victim = made.stage.servers[number // 2 % 2]
            came.rounds.append(await kill_once(made, way, handler, victim))
        came.wrong += [f"log: {it}" for server in made.stage.servers for it in server.defects]
    came.judge(within_s)
    return came
