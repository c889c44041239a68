"""Turns of one model, while another one's endpoint hangs, drips or talks nonsense.

On two servers side by side, since machines are shared: the same people ask both of them at the same
moments, and as many turns a second are asked of another model, which is well on the one server and
not on the other. What else the machine does meets both, so the figure is the ratio of their
percentiles over all rounds, from one to the next of which the servers change places.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.server import ONE_FOR_MANY, ServerProcess, openai_model
from tests.proofs.bench.figures import percentile
from tests.proofs.bench.processes import printed, used_s
from tests.proofs.weather.turns import Asking, Turn, asking

WELL, GOOD = "other/well", "good/x"
WAYS: Sequence[str] = ("hangs", "drips", "garbage")
PEOPLE, GAP_S = 5, 0.25
A_SECOND = 10
"""Turns of the other model; while it hangs, all of them are in flight."""
SETTLING_S, LIMIT_S = 5.0, 600.0
MOST_RATIO = 1.1
LOW = 10


@dataclass(slots=True)
class Side:
    """What was seen on one server: the people's times in ms, turns of the other model that were in
    flight in the end, and the part of a processor that the server took.
    """

    times: list[float] = field(default_factory=list)
    in_flight: int = 0
    busy: float = 0.0


@dataclass(slots=True)
class Round:
    """Both servers."""

    well: Side
    beside: Side

    def ratio(self, percent: float) -> float:
        """How much worse a percentile is where the other model is not well."""
        return percentile(self.beside.times, percent) / percentile(self.well.times, percent)


@dataclass(slots=True)
class Bystanders:
    """What came of it, by what the other endpoint does."""

    rounds: dict[str, list[Round]] = field(default_factory=lambda: {way: [] for way in WAYS})
    failed: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    def all_of(self, way: str) -> Round:
        """All rounds in one."""
        rounds = self.rounds[way]
        return Round(
            Side([ms for it in rounds for ms in it.well.times]),
            Side([ms for it in rounds for ms in it.beside.times]),
        )

    def ratio(self, way: str, percent: float) -> float:
        """How much worse a percentile is, over all rounds."""
        return self.all_of(way).ratio(percent)

    @property
    def wrong(self) -> list[str]:
        """What broke the promise."""
        slower = [
            f"while one {way}, p99 of others is {self.ratio(way, 99):.2f} times what it was"
            for way in WAYS
            if self.ratio(way, 99) > MOST_RATIO
        ]
        return [*self.defects, *self.failed, *slower]

    @property
    def line(self) -> str:
        """All of it in some lines."""
        return "\n".join(self._line(way) for way in WAYS if self.rounds[way])

    def _line(self, way: str) -> str:
        rounds = self.rounds[way]
        ratios = ", ".join(f"{it.ratio(99):.2f}" for it in rounds)
        busy = ", ".join(f"{it.well.busy:.2f} -> {it.beside.busy:.2f}" for it in rounds)
        return (
            f"one {way}, {rounds[-1].beside.in_flight} of its turns in flight: others' "
            f"p50 {self._sides(way, 50)} ms, p99 {self._sides(way, 99)} ms; p50 "
            f"{self.ratio(way, 50):.2f} times, p99 {self.ratio(way, 99):.2f} times ({ratios}); "
            f"server busy {busy}"
        )

    def _sides(self, way: str, percent: float) -> str:
        it = self.all_of(way)
        sides = (percentile(side.times, percent) for side in (it.well, it.beside))
        return " -> ".join(f"{ms:.1f}" for ms in sides)

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        figures = {
            way: {
                "turns": [len(it.beside.times) for it in rounds],
                "in_flight": [it.beside.in_flight for it in rounds],
                "well_p99_ms": [round(percentile(it.well.times, 99), 2) for it in rounds],
                "beside_p99_ms": [round(percentile(it.beside.times, 99), 2) for it in rounds],
                "ratio_p99": round(self.ratio(way, 99), 3),
                "ratio_p50": round(self.ratio(way, 50), 3),
            }
            for way, rounds in self.rounds.items()
        }
        return {"name": "bystanders", "ways": figures, "violations": self.wrong}


async def bystanders_of(home: Path, rounds: int, seconds: float = 45.0) -> Bystanders:
    """So many rounds of ``seconds`` each: shorter than what opens the breaker of one that hangs."""
    came = Bystanders()
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(printed("tests.proofs.weather.endpoint"))
        psutil.Process(other.pid).nice(LOW)  # it has a machine of its own
        good = await stack.enter_async_context(printed("tests.proofs.bench.endpoint", "--deltas=5"))
        models = [openai_model(GOOD, good.line)]
        models += [openai_model(WELL, other.line)]
        models += [
            openai_model(_other(way, number), other.line, model=way)
            for way in WAYS
            for number in range(rounds)
        ]
        servers = [
            await stack.enter_async_context(
                ServerProcess(home / name, models=models, variables=ONE_FOR_MANY)
            )
            for name in "ab"
        ]
        await _sides(came, servers, [WELL, WELL], seconds / 4)  # warm-up
        for number in range(rounds):
            for way in WAYS:
                well, beside = await _sides(came, servers, [WELL, _other(way, number)], seconds)
                came.rounds[way].append(Round(well, beside))
                print(f"round {number + 1}: {came.line}", flush=True)
            servers.reverse()
        came.defects = [f"log: {line}" for server in servers for line in server.defects]
    return came


def _other(way: str, number: int) -> str:
    """One of its own for each round, for each has a breaker."""
    return f"other/{way}-{number}"


async def _sides(
    came: Bystanders, servers: Sequence[ServerProcess], others: Sequence[str], seconds: float
) -> list[Side]:
    """What was seen on each server, in new conversations."""
    sides = [Side() for _ in servers]
    async with AsyncExitStack() as stack:
        people, turns = [], []
        for server, model in zip(servers, others, strict=True):
            people.append(await stack.enter_async_context(asking(server, PEOPLE)))
            crowd = await stack.enter_async_context(asking(server))
            turns.append(await stack.enter_async_context(_asked(crowd, model)))
        await asyncio.sleep(SETTLING_S)
        used, began = [used_s(server.pid) for server in servers], time.monotonic()
        await asyncio.gather(
            *(_person(came, people, sides, began + seconds) for _ in range(PEOPLE))
        )
        passed = time.monotonic() - began
        for at, side in enumerate(sides):
            side.busy = (used_s(servers[at].pid) - used[at]) / passed
            side.in_flight = sum(not turn.over.is_set() for turn in turns[at])
    return sides


@asynccontextmanager
async def _asked(crowd: Asking, model: str) -> AsyncIterator[Sequence[Turn]]:
    """So many turns a second of a model, until the block's end; then those that run are stopped."""
    turns: list[Turn] = []

    async def ask() -> None:
        began = time.monotonic()
        while True:
            turns.append(await crowd.begin([model], LIMIT_S))
            await asyncio.sleep(max(0, began + len(turns) / A_SECOND - time.monotonic()))

    task = asyncio.create_task(ask())
    try:
        yield turns
    finally:
        task.cancel()
        await asyncio.wait([task])
        await crowd.stop([turn for turn in turns if not turn.over.is_set()])


async def _person(
    came: Bystanders, people: Sequence[Asking], sides: Sequence[Side], end: float
) -> None:
    """Ask both servers at once, again and again; each time is from the question to the read end."""
    await asyncio.sleep(random.uniform(0, GAP_S))  # people do not go in step
    while (now := time.monotonic()) < end:
        order = random.sample(range(len(sides)), len(sides))
        turns = await asyncio.gather(*(people[at].turn([GOOD]) for at in order))
        for at, turn in zip(order, turns, strict=True):
            sides[at].times.append(1000 * turn.seconds)
            if turn.model != GOOD:
                came.failed.append(f"{turn.turn_id}: {turn.state} {turn.reason}")
        await asyncio.sleep(max(0, now + GAP_S - time.monotonic()))
