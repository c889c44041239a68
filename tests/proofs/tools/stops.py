"""CancelTurn of turns with calls under way: how soon the last of them is closed.

Over HTTP the server of tools notes when its client has gone; a program's end is what its pidfd
says. The time runs from the client's sending of CancelTurn, so its way to the server is in it.
"""

import asyncio
import json
import os
import select
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.events.v1.event_pb2 import TOOL_CALL_OUTCOME_CANCELLED, TURN_STATE_CANCELLED
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon_client import Client
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import until
from tests.fakes.tool_server import Line, lines_of
from tests.proofs.bench.figures import percentile
from tests.proofs.bench.processes import ROOT
from tests.proofs.tools.judging import outcomes
from tests.proofs.tools.turns import Run, new_runs, stored, tool_server

CALLS = 4
MOST_MS = 100.0
WAYS = {"HTTP": ("web.hang", CALLS), "stdio": ("own.hang", CALLS), "stdio, deaf": ("own.block", 1)}
"""What the turn calls, and how often: a deaf program hears nothing but signals."""


@dataclass(slots=True)
class Stops:
    """Milliseconds from CancelTurn to the last closed call, and to its answer, by way."""

    seed: str
    closed_ms: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    answered_ms: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        times = {"closed_ms": self.closed_ms, "answered_ms": self.answered_ms}
        return {"name": "tool stops", "seed": self.seed, **times, "violations": self.wrong}

    @property
    def line(self) -> str:
        """All of it in some lines."""
        return "\n".join(
            f"{way}: {len(ms)} stops of {WAYS[way][1]} calls; the last is closed after "
            f"{percentile(ms, 50):.1f} ms (p50), {percentile(ms, 99):.1f} ms (p99), "
            f"{max(ms):.1f} ms at most; answered after {percentile(self.answered_ms[way], 50):.1f}"
            f" ms (p50), {percentile(self.answered_ms[way], 99):.1f} ms (p99)"
            for way, ms in self.closed_ms.items()
        )


async def stops_of(home: Path, seed: str, count: int, most_ms: float = MOST_MS) -> Stops:
    """So many stops by each way, one after the other; ``most_ms`` is the 99th percentile's."""
    came, ledger = Stops(seed), home / "ledger"
    async with tool_server(ledger) as url:
        server = ServerProcess(
            home, variables={**ONE_FOR_MANY, **_settings(url, ledger)}, model="scripted/calls"
        )
        async with server, server.client() as client:
            for number in range(count * len(WAYS)):
                way = list(WAYS)[number % len(WAYS)]
                closed, answered, wrong = await _stop(client, way, ledger)
                if number >= len(WAYS):  # what is imported at the first one
                    came.closed_ms[way].append(closed)
                    came.answered_ms[way].append(answered)
                came.wrong += wrong
        came.wrong += [f"log: {line}" for line in server.defects]
    for way, ms in came.closed_ms.items():
        if percentile(ms, 99) > most_ms:
            came.wrong.append(f"{way}: the last call is closed after {percentile(ms, 99):.0f} ms")
    return came


def _settings(url: str, ledger: Path) -> Mapping[str, str]:
    calls = {way: [{"tool": tool}] * often for way, (tool, often) in WAYS.items()}
    model = {"name": "scripted/calls", "kind": "scripted", "model": "echo"}
    words = [str(ROOT / "tests" / "fakes" / "tool_server.py"), str(ledger), "--stdio"]
    return {
        "ANTIPHON_MODELS": json.dumps([model | {"script": {"calls": calls}}]),
        "ANTIPHON_CONNECTIONS": json.dumps(
            [{"name": "web", "mcp": url}, {"name": "own", "program": "own"}]
        ),
        "ANTIPHON_PROGRAMS": json.dumps({"own": {"command": sys.executable, "arguments": words}}),
    }


async def _stop(client: Client, way: str, ledger: Path) -> tuple[float, float, list[str]]:
    """Stop a turn whose calls run; when its last call was closed and it was told, in ms."""
    tool, often = WAYS[way]
    (run,) = new_runs(1)
    made = await client.create_conversation(tools=[tool])
    await client.set_tool_rule(made.workspace_id, tool, TOOL_RULE_ALWAYS)
    run.conversation_id, before = made.conversation_id, len(lines_of(ledger))
    await client.dispatch(run.conversation_id, way, turn_id=run.turn_id)

    def new(what: str) -> list[Line]:
        return [line for line in lines_of(ledger)[before:] if line.what == what]

    await until(lambda: len(new("ran")) == often)
    ends = (
        asyncio.ensure_future(asyncio.to_thread(_ended, new("ran")[0].pid))
        if "own" in tool
        else None
    )
    await asyncio.sleep(0.05)  # the thread waits
    began = time.monotonic()
    turn = await client.cancel_turn(run.conversation_id, run.turn_id)
    answered = time.monotonic()
    if ends is None:
        await until(lambda: len(new("closed")) == often)
        closed = max(line.at for line in new("closed"))
    else:
        closed = await ends
    wrong = [] if turn.state == TURN_STATE_CANCELLED else [f"{way}: the turn is {turn.state}"]
    wrong += await _as_it_stood(client, run, often)
    return (closed - began) * 1000, (answered - began) * 1000, wrong


def _ended(pid: int) -> float:
    """When a process ended."""
    number = os.pidfd_open(pid)
    try:
        select.select([number], [], [], 60)
    finally:
        os.close(number)
    return time.monotonic()


async def _as_it_stood(client: Client, run: Run, often: int) -> Sequence[str]:
    """What is wrong with the turn in the log: each call ended as cancelled."""
    ends = list(outcomes((await stored(client, [run]))[run.turn_id]).values())
    if ends != [TOOL_CALL_OUTCOME_CANCELLED] * often:
        return [f"{run.turn_id}: calls ended as {ends}"]
    return []
