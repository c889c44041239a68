"""A scenario: so many people of each kind, these faults, a seed, so long; and what came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon_client import AntiphonError
from tests.proofs.robustness.faults import storm
from tests.proofs.robustness.heads import heads_sampled
from tests.proofs.robustness.ledger import read_ledger
from tests.proofs.robustness.memory import CALM_S, Memory, rest, sampled
from tests.proofs.robustness.odd_server import DAY
from tests.proofs.robustness.people import READERS, WORKERS, Work
from tests.proofs.robustness.posts import posts_repeated
from tests.proofs.robustness.record import write
from tests.proofs.robustness.stage import Stage, stage
from tests.proofs.robustness.traffic import caught_up, read_state
from tests.proofs.robustness.validators import violations

# A connection that died without a word is missed after 40 s of silence, and then begun again.
SETTLE_S = 180.0
DAY_S = 86_400.0
CROWD = {"talker": 2, "writer": 2, "twin": 2, "follower": 2, "comer": 1, "subscriber": 1}
CROWD |= {"updater": 1}

Doing = Callable[[Stage], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """``faults`` are names; ``people`` how many of each kind; ``variables`` are the server's.

    ``workers`` and ``readers`` are what each kind does. When all is over, the server has something
    to do for ``calm_s`` yet.
    """

    name: str
    faults: Sequence[str]
    people: Mapping[str, int] = field(default_factory=lambda: CROWD)
    scenes: int = 2
    variables: Mapping[str, str] = field(default_factory=dict)
    workers: Mapping[str, Work] = field(default_factory=lambda: WORKERS)
    readers: Mapping[str, Work] = field(default_factory=lambda: READERS)
    calm_s: float = CALM_S

    @property
    def retention_s(self) -> float | None:
        """How long the server keeps everything; None for ever."""
        days = self.variables.get("ANTIPHON_RETENTION_DAYS")
        return float(days) * float(self.variables.get(DAY, DAY_S)) if days else None


@dataclass(slots=True)
class Outcome:
    """What came of a scenario, or of several of its rounds together."""

    name: str
    seed: str
    seconds: float = 0.0
    inflicted: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    peak_bytes: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it in a line."""
        faults = ", ".join(f"{n} {name}" for name, n in sorted(self.inflicted.items()))
        states = ", ".join(f"{n} {name}" for name, n in sorted(self.states.items()))
        counts = ", ".join(f"{n:,} {name}" for name, n in sorted(self.counts.items()))
        return (
            f"{self.name} (seed {self.seed}, {self.seconds:.0f} s): {faults or 'no fault'}; "
            f"{counts}; turns: {states}; memory at most {self.peak_bytes / 2**20:.0f} MB; "
            f"{len(self.wrong)} violations"
        )

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        return {
            "name": self.name,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "faults": dict(self.inflicted),
            "turns": dict(self.states),
            "counts": dict(self.counts),
            "peak_bytes": self.peak_bytes,
            "violations": self.wrong,
        }

    def add(self, other: "Outcome") -> None:
        """Take in another round."""
        self.seconds += other.seconds
        for mine, its in (
            (self.inflicted, other.inflicted),
            (self.states, other.states),
            (self.counts, other.counts),
        ):
            mine.update(its)
        self.peak_bytes = max(self.peak_bytes, other.peak_bytes)
        self.wrong += other.wrong


async def play(scenario: Scenario, home: Path, seed: str, seconds: float) -> Outcome:
    """Run a scenario on a server of its own."""
    async with stage(home, seed, scenario.variables) as here:
        outcome = await act(here, scenario, lambda it: storm(it, scenario.faults, seconds))
        await close(here, outcome)
        keep(here, outcome)
    return outcome


def keep(here: Stage, outcome: Outcome) -> None:
    """Write down what happened, beside the server's data, if any of it was wrong."""
    if outcome.wrong:
        path = here.home / f"history-{here.seed}.jsonl"
        write(path, [scene.history for scene in here.scenes])


async def close(here: Stage, outcome: Outcome) -> None:
    """End each server's last life, which must end well; its log must be without a defect."""
    for server in here.servers:
        await here.end_life(server)
        outcome.wrong += [f"log: {line}" for line in server.defects]
    outcome.wrong += here.wrong


async def act(here: Stage, scenario: Scenario, doing: Doing) -> Outcome:
    """Let people work in new conversations while faults are ``doing``; judge what came of it."""
    began = time.monotonic()
    outcome = Outcome(scenario.name, here.seed)
    await here.open_scenes(scenario.scenes, scenario.retention_s)
    try:
        async with (
            sampled(here.servers) as memory,
            heads_sampled(here),
            _people(here, scenario) as working,
        ):
            await doing(here)
            here.stopping.set()
            async with asyncio.timeout(SETTLE_S):
                await working()
                await _all_caught_up(here)
    except TimeoutError:
        outcome.wrong.append(f"did not settle within {SETTLE_S:.0f} s: {_behind(here)}")
    except AntiphonError as failure:
        outcome.wrong.append(f"somebody was refused for good: {failure}")
    async with here.sure() as client:
        for scene in here.scenes:
            await read_state(client, scene.conversation_id, scene.history)
        await read_ledger(client, here)
    await rest(here.servers, memory, scenario.calm_s)
    _judge(here, outcome, memory)
    outcome.seconds = time.monotonic() - began
    return outcome


@asynccontextmanager
async def _people(
    here: Stage, scenario: Scenario
) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """People at work, behind wires of their own; gives what waits for the workers' end."""
    here.stopping.clear()
    here.proxies.clear()
    workers: list[asyncio.Task[None]] = []
    readers: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as stack:
        here.stack = stack
        for kind, count in scenario.people.items():
            for number in range(count):
                name = f"{kind} {number}"
                work = {**scenario.workers, **scenario.readers}[kind](here, name)
                task = asyncio.create_task(work, name=name)
                (workers if kind in scenario.workers else readers).append(task)
        try:
            yield lambda: _ended(workers, readers)
        finally:
            for task in [*workers, *readers]:
                task.cancel()
            outcomes = await asyncio.gather(*workers, *readers, return_exceptions=True)
    for failure in outcomes:
        if isinstance(failure, Exception):
            raise failure


async def _ended(workers: list[asyncio.Task[None]], readers: list[asyncio.Task[None]]) -> None:
    """Wait for the workers' end; whoever fails, fails the scene."""
    everybody = {*workers, *readers}
    while any(not task.done() for task in workers):
        done, everybody = await asyncio.wait(everybody, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _all_caught_up(here: Stage) -> None:
    async with here.sure() as client:
        for scene in here.scenes:
            lasting = [reader for reader in scene.history.readers if reader.lasts]
            await caught_up(client, scene.conversation_id, lasting)


def _judge(here: Stage, outcome: Outcome, memory: Memory) -> None:
    histories = [scene.history for scene in here.scenes]
    for number, history in enumerate(histories):
        outcome.wrong += [f"conversation {number}: {what}" for what in violations(history)]
    outcome.states, here.states = here.states, Counter()
    outcome.inflicted, here.inflicted = here.inflicted, Counter()
    outcome.counts, here.counts = here.counts, Counter()
    outcome.wrong += here.wrong
    here.wrong = []
    outcome.peak_bytes = memory.peak_bytes
    outcome.wrong += memory.wrong
    outcome.counts.update(
        {
            "events": sum(len(history.log) for history in histories),
            "seen": sum(len(it.seen) for history in histories for it in history.readers),
            "posts acknowledged": sum(len(history.accepted_messages) for history in histories),
            "posts repeated": sum(posts_repeated(history) for history in histories),
            "turns acknowledged": sum(len(history.accepted_turns) for history in histories),
            "stops": sum(len(history.stops) for history in histories),
            "calls of the model": sum(len(history.served or ()) for history in histories),
        }
    )


def _behind(here: Stage) -> str:
    return ", ".join(f"{it.name} at {it.end}" for it in here.readers() if it.lasts)
