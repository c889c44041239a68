"""kill -9 at every boundary of the events of turns with calls of tools.

In each life of a server every turn is held at the boundary that its seed has chosen, before or
behind a commit; when all are held or over, the process is killed. So one kill meets many turns,
each exactly where it was to be met. In the last life all of them come to their end.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.events.v1.event_pb2 import ToolCallOutcome, TurnState
from antiphon_client import AntiphonError
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.fakes.tool_server import lines_of
from tests.proofs.tools.held_server import COMMAND, HOLDS
from tests.proofs.tools.judging import outcomes, wrong_of
from tests.proofs.tools.turns import (
    Run,
    deciding,
    dispatched,
    new_runs,
    opened,
    reading,
    settings,
    stored,
    tool_server,
)

BOUNDARIES = [
    (kind, number, side)
    for kind, most in (
        ("turn_accepted", 1),
        ("tool_call_proposed", 1),
        ("tool_call_decided", 1),
        ("tool_call_started", 3),
        ("tool_call_finished", 3),
        ("turn_finished", 1),
    )
    for number in range(1, most + 1)
    for side in ("before", "behind")
]
AT_ONCE = 40
DEATHS = 2
"""Of each turn, one in each life but the last."""
QUIET_S = 1.5
"""A life in which nothing happens for so long is over: what is not held by then waits."""


AT_CALLS = [it for it in BOUNDARIES if it[0].startswith("tool_call")]
STARTING = 0.25
"""So often a later life may be held at the ends of turns, too: then it does not come to serve."""


class _Holds:
    """The file that says where turns are held, and the one that says who is."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self.path = home / "holds.json"
        self.choose({})

    def choose(self, plan: Mapping[str, tuple[str, int, str]]) -> None:
        """Hold these in the next life."""
        self.path.write_text(json.dumps(plan))
        self.path.with_suffix(".held").write_text("")

    @property
    def held(self) -> set[str]:
        """Who is held in this life."""
        return set(self.path.with_suffix(".held").read_text().split())


@dataclass(slots=True)
class Kills:
    """What came of all turns."""

    seed: str
    runs: int = 0
    lives: int = 0
    held: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    turns: Counter[str] = field(default_factory=Counter)
    ran: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        given = {name: getattr(self, name) for name in ("seed", "runs", "lives", "ran", "seconds")}
        counted = {name: dict(getattr(self, name)) for name in ("held", "calls", "turns")}
        return {"name": "tool kills", **given, **counted, "violations": self.wrong}

    @property
    def line(self) -> str:
        """All of it in some lines."""
        return (
            f"{self.runs} turns with calls in {self.seconds:.0f} s; {self.lives} processes killed; "
            f"{sum(self.held.values())} times a turn was held at one of {len(self.held)} "
            f"boundaries; {self.ran} runs of tools; calls {dict(self.calls)}; turns "
            f"{dict(self.turns)}; {len(self.wrong)} violations"
        )


async def kills_of(home: Path, seed: str, count: int, at_once: int = AT_ONCE) -> Kills:
    """So many turns, each met by kills at boundaries that the seed chooses."""
    came, began = Kills(seed), time.monotonic()
    for first in range(0, count, at_once):
        chance = random.Random(f"{seed}/{first}")
        await _batch(home / f"batch-{first}", came, chance, min(at_once, count - first))
        print(f"{came.runs} turns, {came.lives} kills, {len(came.wrong)} violations", flush=True)
    came.seconds = time.monotonic() - began
    return came


async def _batch(home: Path, came: Kills, chance: random.Random, count: int) -> None:
    runs, ledger, holds = new_runs(count), home / "ledger", _Holds(home)
    denied = {run.turn_id for run in runs if chance.random() < 0.2}
    async with tool_server(ledger) as url:
        variables = {**ONE_FOR_MANY, **settings(runs, url), HOLDS: str(holds.path)}
        server = ServerProcess(home, variables=variables, command=COMMAND, model="scripted/calls")
        async with server:
            async with server.client() as client:
                await opened(client, runs)
            await server.kill()
            for life in range(DEATHS):
                known = BOUNDARIES if life == 0 or chance.random() < STARTING else AT_CALLS
                plan = {run.turn_id: chance.choice(known) for run in runs}
                holds.choose(plan)
                held = await _life(server, runs, denied, holds)
                came.held.update(_named(*plan[it]) for it in held)
                came.lives += 1
            holds.choose({})
            await server.start()
            await _end(server, came, runs, denied, ledger)
        came.wrong += [f"log: {line}" for line in server.defects]


async def _life(
    server: ServerProcess, runs: Sequence[Run], denied: set[str], holds: _Holds
) -> set[str]:
    """Let all of them go to where they are held, and kill the server; returns who was held."""
    await server.spawn()
    await _until_serving(server, holds)
    async with server.client() as client, reading(client, runs):
        asking = [asyncio.create_task(dispatched(client, run)) for run in runs if not run.seen]
        people = asyncio.create_task(deciding(client, runs, denied))
        before, quiet = (-1, -1), time.monotonic()
        while time.monotonic() - quiet < QUIET_S:
            await asyncio.sleep(0.05)
            held = holds.held
            now = len(held), sum(len(run.seen) for run in runs)
            if now != before:
                before, quiet = now, time.monotonic()
            if all(run.turn_id in held or run.has("turn_finished") for run in runs):
                break
        await server.kill()
        for task in (*asking, people):
            task.cancel()
        with suppress(AntiphonError):
            await asyncio.gather(*asking, people, return_exceptions=True)
    return holds.held


async def _end(
    server: ServerProcess, came: Kills, runs: Sequence[Run], denied: set[str], ledger: Path
) -> None:
    """Bring all of them to their end, and judge what became of each."""
    async with server.client() as client, reading(client, runs):
        people = asyncio.create_task(deciding(client, runs, denied))
        await asyncio.gather(*(dispatched(client, run) for run in runs if not run.seen))
        log = await stored(client, runs)
        people.cancel()
        await asyncio.wait([people])
    ran = lines_of(ledger)
    came.ran += len(ran)
    for run in runs:
        came.runs += 1
        events = log[run.turn_id]
        came.calls.update(ToolCallOutcome.Name(it)[18:] for it in outcomes(events).values())
        came.turns.update(
            TurnState.Name(it.turn_finished.state)[11:]
            for it in events
            if it.HasField("turn_finished")
        )
        came.wrong += [f"{run.turn_id}: {what}" for what in wrong_of(run, events, ran)]


def _named(kind: str, number: int, side: str) -> str:
    return f"{side} {kind} {number}"


async def _until_serving(server: ServerProcess, holds: _Holds) -> None:
    """A server that is held while it starts, by a turn that an earlier life has left, never does.

    It is given time until then: what it adopts comes one after the other.
    """
    while not await server.serves():
        if holds.held:
            await asyncio.sleep(QUIET_S)
            return
        await asyncio.sleep(0.02)
