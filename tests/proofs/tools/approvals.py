"""Decisions about calls that wait: of changed arguments, two at once, after a restart, elsewhere.

Two servers share a store. On one of them so many turns wait for a person; the other, or the same
one after a kill, is asked to decide.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.events.v1.event_pb2 import TOOL_CALL_OUTCOME_DENIED, ToolCallProposed
from antiphon_client import AntiphonError, Client
from tests.e2e.process import all_of
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import until
from tests.fakes.tool_server import lines_of
from tests.proofs.robustness.mesh.deployment import new_secret, own_postgres
from tests.proofs.tools.judging import outcomes, wrong_of
from tests.proofs.tools.turns import (
    Run,
    dispatched,
    new_runs,
    opened,
    reading,
    settings,
    stored,
    tool_server,
)

AT_ONCE = 50
LEASE_S = 3.0
KINDS = ("at once", "restart", "elsewhere", "elsewhere after a kill")
"""Each begins with changed arguments, and ends with two who decide at once."""


@dataclass(slots=True)
class Approvals:
    """How many of each kind; what was wrong."""

    seed: str
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        counts = dict(self.counts)
        return {
            "name": "approvals",
            "seed": self.seed,
            "decisions": counts,
            "violations": self.wrong,
        }

    @property
    def line(self) -> str:
        """All of it in a line."""
        told = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        return f"{told}; {len(self.wrong)} violations"


async def approvals_of(home: Path, seed: str, count: int) -> Approvals:
    """So many of each kind."""
    came, chance = Approvals(seed), random.Random(seed)
    async with own_postgres() as postgres:
        for kind in KINDS:
            for first in range(0, count, AT_ONCE):
                folder = home / f"{kind.replace(' ', '-')}-{first}"
                folder.mkdir(parents=True)
                url = await postgres.database()
                await _batch(folder, came, kind, min(AT_ONCE, count - first), url, chance)
                print(f"{kind}: {came.line}", flush=True)
    return came


async def _batch(
    home: Path, came: Approvals, kind: str, count: int, database: str, chance: random.Random
) -> None:
    runs, ledger = new_runs(count), home / "ledger"
    async with AsyncExitStack() as stack:
        tools = await stack.enter_async_context(tool_server(ledger))
        variables = {
            **ONE_FOR_MANY,
            **settings(runs, tools),
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
            await asyncio.gather(*(dispatched(one, run) for run in runs))
            await until(lambda: all(run.undecided for run in runs))
            if kind == "restart":
                await servers[0].restart()
            elif kind == "elsewhere after a kill":
                await servers[0].kill()
            first, second = (one, one) if kind in ("at once", "restart") else (other, other)
            if kind == "elsewhere":
                first = one if chance.random() < 0.5 else other
            await asyncio.gather(*(_decide(first, second, run, came) for run in runs))
            came.counts[kind] += count
            log = await stored(other, runs)
        for run in runs:
            came.wrong += [
                f"{kind}: {run.turn_id}: {what}"
                for what in wrong_of(run, log[run.turn_id], lines_of(ledger))
            ]
        came.wrong += [f"{kind}: log: {it}" for server in servers for it in server.defects]


async def _decide(first: Client, second: Client, run: Run, came: Approvals) -> None:
    """Refuse who was shown other arguments; of two who decide at once, one wins."""
    (call,) = run.undecided
    changed = ToolCallProposed()
    changed.CopyFrom(call)
    changed.arguments_sha256 = hashlib.sha256(b"others").digest()
    try:
        await first.decide_tool_call(run.conversation_id, run.turn_id, changed, approve=True)
        came.wrong.append(f"{run.turn_id}: changed arguments were approved")
    except AntiphonError as refused:
        came.counts["changed arguments refused"] += refused.reason == "TOOL_CALL_CHANGED"
        if refused.reason != "TOOL_CALL_CHANGED":
            came.wrong.append(f"{run.turn_id}: {refused}")
    both = await asyncio.gather(
        first.decide_tool_call(run.conversation_id, run.turn_id, call, approve=True),
        second.decide_tool_call(run.conversation_id, run.turn_id, call, approve=False),
    )
    if both[0] != both[1]:
        came.wrong.append(f"{run.turn_id}: two are told {both}")
    await until(lambda: run.has("turn_finished"))
    came.wrong += [f"{run.turn_id}: {it}" for it in _not_as_decided(run, call, both[0].approved)]


def _not_as_decided(run: Run, call: Any, approved: bool) -> Sequence[str]:
    decided = [it.tool_call_decided for it in run.events if it.HasField("tool_call_decided")]
    if [it.approved for it in decided] != [approved]:
        return [f"the log has the decisions {decided}"]
    denied = outcomes(run.events)[call.tool_call_id] == TOOL_CALL_OUTCOME_DENIED
    return ["the call did not end as decided"] if denied is approved else []
