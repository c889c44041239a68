"""Two servers and all workers are restarted one after the other, while many turns run."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import EVENT_KIND_TURN_ASSIGNED
from antiphon_client import Client
from tests.proofs.workers.load import load
from tests.proofs.workers.processes import Came, judged
from tests.proofs.workers.rolling_fleet import RollingFleet, rolling_fleet
from tests.proofs.workers.rolling_judge import judged_begins, life_of, went_on
from tests.workers.counting import begun
from tests.workers.processes import WorkerProcess

AT_ONCE = 8
MESSAGE = "160 500"
"""How far each turn counts, and how many milliseconds lie between: two a second."""


@dataclass(slots=True)
class Rolled:
    """When workers were told to stop, in Unix seconds, and how long stops took, in seconds."""

    told: dict[WorkerProcess, float] = field(default_factory=dict)
    servers_s: list[float] = field(default_factory=list)
    workers_s: list[float] = field(default_factory=list)


async def rolling_of(
    home: Path,
    turns: int,
    message: str = MESSAGE,
    *,
    workers: int = 4,
    version: str = "1",
    look_s: float = 5.0,
) -> Came:
    """So many turns are running when it begins; new workers are of that version, old ones of 1.

    How busy the machine is, is looked at for ``look_s``.
    """
    came, rolled = Came(), Rolled()
    async with rolling_fleet(home, workers) as here, here.client() as client:
        those = await _begun(client, turns, message)
        came.said.append(f"load: {await load(look_s)}")
        await _restart_servers(here, came, rolled)
        came.counts["turns running when workers were restarted"] = _running(here)
        await _restart_workers(here, version, came, rolled)
        came.counts["turns running when all was restarted"] = _running(here)
        many = int(message.split()[0])
        await judged(client, {it.turn_id: many for it in those}, those, came)
        await _judge_begins(client, here, those, came, rolled)
    return came


async def _begun(client: Client, turns: int, message: str) -> list[Turn]:
    few = asyncio.Semaphore(AT_ONCE)

    async def one() -> Turn:
        async with few:
            return await begun(client, message)

    return await asyncio.gather(*(one() for _ in range(turns)))


def _running(here: RollingFleet) -> int:
    begins = {line[1] for it in here.all for line in it.said("begun")}
    return len(begins - {line[1] for it in here.all for line in it.said("ended")})


async def _restart_servers(here: RollingFleet, came: Came, rolled: Rolled) -> None:
    for server in here.servers:
        began = time.monotonic()
        if code := await server.terminate():
            came.wrong.append(f"a server ended by {code}")
        rolled.servers_s.append(time.monotonic() - began)
        await server.start()
        await here.served(len(here.workers))


async def _restart_workers(here: RollingFleet, version: str, came: Came, rolled: Rolled) -> None:
    for old in list(here.workers):
        await here.new_worker(version)
        await here.served(len(here.workers))
        here.workers.remove(old)
        rolled.told[old], began = time.time(), time.monotonic()
        if code := await old.terminate():
            came.wrong.append(f"a worker ended by {code}")
        rolled.workers_s.append(time.monotonic() - began)


async def _judge_begins(
    client: Client, here: RollingFleet, turns: Sequence[Turn], came: Came, rolled: Rolled
) -> None:
    lives = [life_of(it, rolled.told.get(it, math.inf)) for it in here.all]
    begins = judged_begins(lives)
    assigned = Counter({it.turn_id: await _times_assigned(client, it) for it in turns})
    came.wrong += begins.needless
    over = begins.handed_over_s
    came.said += [
        f"{went_on(assigned, lives)} times a turn went on at its worker, {len(over)} were handed "
        f"over in {_most(over)}, {len(begins.away)} began anew for a worker that was away too "
        f"long, {len(begins.needless)} without need",
        f"no worker was without a stream for more than {begins.longest_away_s:.1f} s; a server "
        f"stopped in {_most(rolled.servers_s)}, a worker in {_most(rolled.workers_s)}",
    ]


async def _times_assigned(client: Client, turn: Turn) -> int:
    scope = f"conversations/{turn.conversation_id}"
    page = await client.read_events(scope, kinds=[EVENT_KIND_TURN_ASSIGNED])
    return len(page.events)


def _most(seconds: Sequence[float]) -> str:
    return f"{max(seconds, default=0.0):.1f} s at most"
