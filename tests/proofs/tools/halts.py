"""SIGSTOP of one of two servers, past its lease, while its turns call tools.

The other one goes on with the turns: what was under way is UNKNOWN there, and not called again
unless it may be repeated. Then the first one wakes up, and has nothing more to say. What it was
about to send when it was stopped may yet reach the tool: that is counted, and is told as UNKNOWN.
"""

import asyncio
import random
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.events.v1.event_pb2 import ToolCallOutcome
from tests.e2e.process import all_of
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import until
from tests.fakes.tool_server import lines_of
from tests.proofs.robustness.mesh.deployment import new_secret, own_postgres
from tests.proofs.tools.judging import outcomes, wrong_of
from tests.proofs.tools.turns import (
    deciding,
    dispatched,
    new_runs,
    opened,
    reading,
    settings,
    stored,
    tool_server,
)

AT_ONCE = 25
LEASE_S = 3.0
WAIT_S = 0.3
"""So long a tool works, behind its line in the ledger."""
AWAKE_S = 3.0
LOST = "antiphon_server.runtime.storage.postgres"
"""What a server that stood still says of its transactions: Postgres has ended them meanwhile."""


@dataclass(slots=True)
class Halts:
    """What came of all turns."""

    seed: str
    runs: int = 0
    halts: int = 0
    ran: int = 0
    late: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        figures = {name: getattr(self, name) for name in ("seed", "runs", "halts", "ran", "late")}
        return {
            "name": "tool halts",
            **figures,
            "calls": dict(self.calls),
            "violations": self.wrong,
        }

    @property
    def line(self) -> str:
        """All of it in a line."""
        return (
            f"{self.runs} turns with calls, {self.halts} servers halted past their lease; "
            f"{self.ran} runs of tools, {self.late} of them late; "
            f"calls {dict(self.calls)}; {len(self.wrong)} violations"
        )


async def halts_of(home: Path, seed: str, count: int) -> Halts:
    """So many turns, on servers that stand still and wake up."""
    came, chance = Halts(seed), random.Random(seed)
    async with own_postgres() as postgres:
        for first in range(0, count, AT_ONCE):
            folder = home / f"batch-{first}"
            folder.mkdir(parents=True)
            database = await postgres.database()
            await _batch(folder, came, min(AT_ONCE, count - first), database, chance)
            print(came.line, flush=True)
    return came


async def _batch(home: Path, came: Halts, count: int, database: str, chance: random.Random) -> None:
    runs, ledger = new_runs(count), home / "ledger"
    async with AsyncExitStack() as stack:
        tools = await stack.enter_async_context(tool_server(ledger))
        variables = {
            **ONE_FOR_MANY,
            **settings(runs, tools, WAIT_S),
            "ANTIPHON_DATABASE_URL": database,
            "ANTIPHON_SECRET_KEY": new_secret(),
            "ANTIPHON_LEASE_S": str(LEASE_S),
        }
        servers = [
            ServerProcess(home / name, variables=variables, model="scripted/calls") for name in "ab"
        ]
        await stack.enter_async_context(all_of(servers))
        one, other = [await stack.enter_async_context(it.client()) for it in servers]
        await opened(one, runs)
        async with reading(other, runs):
            asking = [asyncio.create_task(dispatched(one, run)) for run in runs]
            people = asyncio.create_task(deciding(one, runs, ()))
            enough = count * chance.uniform(2, 7)  # of seven events that a turn has and more
            await until(lambda: sum(len(run.seen) for run in runs) >= enough)
            servers[0].signal(signal.SIGSTOP)
            try:
                came.halts += 1
                for task in (*asking, people):
                    task.cancel()
                await asyncio.wait([*asking, people])
                people = asyncio.create_task(deciding(other, runs, ()))
                await asyncio.sleep(LEASE_S)
                await asyncio.gather(*(dispatched(other, run) for run in runs if not run.seen))
                log = await stored(other, runs)
                woken = time.monotonic()
            finally:
                servers[0].signal(signal.SIGCONT)
            await asyncio.sleep(AWAKE_S)
            people.cancel()
            with suppress(asyncio.CancelledError):
                await people
            after = await stored(other, runs)
        ran = lines_of(ledger)
        came.late += sum(line.what == "ran" and line.at > woken for line in ran)
        came.ran += sum(line.what == "ran" for line in ran)
        for run in runs:
            came.runs += 1
            events = after[run.turn_id]
            if [it.first_offset for it in events] != [it.first_offset for it in log[run.turn_id]]:
                came.wrong.append(f"{run.turn_id}: something was said after its end")
            came.calls.update(ToolCallOutcome.Name(it)[18:] for it in outcomes(events).values())
            came.wrong += [f"{run.turn_id}: {what}" for what in wrong_of(run, events, ran)]
        halted, going_on = (server.defects for server in servers)
        came.wrong += [f"log: {it}" for it in (*going_on, *(d for d in halted if LOST not in d))]
