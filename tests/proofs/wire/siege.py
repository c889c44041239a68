"""An attack on a server while a good client is served: what it costs that client and memory."""

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grpc

from tests.e2e.server import ServerProcess
from tests.proofs.bench.figures import percentile
from tests.proofs.bench.processes import ROOT, environment
from tests.proofs.wire.bystander import Bystander
from tests.proofs.wire.front import Before, Front, nothing
from tests.proofs.wire.targets import MODEL

SAMPLE_S = 0.05
BEGIN_S = 60.0
AFTER_S = 120.0
MOST_GROWTH = 64 << 20
MOST_FACTOR = 2.0
HELD_UP_MS = 1500.0
"""So long nobody waits, not even on a machine that is busy."""
FLOOR_MS = 10.0
"""Below that, a 99th percentile is the machine's noise."""


@dataclass(slots=True)
class Siege:
    """What came of one attack: the good client's times without and with it."""

    attack: str
    without_ms: float = 0.0
    with_ms: float = 0.0
    served: int = 0
    failures: list[str] = field(default_factory=list)
    grown_bytes: int = 0
    restarts: int = 0
    defects: list[str] = field(default_factory=list)
    rounds: int = 0

    @property
    def factor(self) -> float:
        """How much longer the good client waits."""
        return self.with_ms / max(self.without_ms, FLOOR_MS)

    @property
    def wrong(self) -> list[str]:
        """What must not be: harm, and a good client that is held up."""
        slow = [f"{self.attack}: p99 {self.factor:.1f} times that without"]
        return self.harm + (slow if self.factor > MOST_FACTOR else [])

    @property
    def harm(self) -> list[str]:
        """What must not be, however busy the machine is."""
        found = [f"good client: {why}" for why in self.failures[:3]]
        found += ["the server ended"] if self.restarts else []
        found += [f"log: {line[-300:]}" for line in self.defects[:3]]
        if self.grown_bytes > MOST_GROWTH:
            found.append(f"{self.grown_bytes / 2**20:.0f} MB more")
        if self.with_ms > HELD_UP_MS:
            found.append(f"p99 {self.with_ms:.0f} ms")
        return [f"{self.attack}: {why}" for why in found]

    @property
    def line(self) -> str:
        """The figures in a line."""
        return (
            f"{self.attack:20} p99 {self.without_ms:6.1f} -> {self.with_ms:6.1f} ms "
            f"({self.factor:.1f}x), {self.served} served, {len(self.failures)} refused, "
            f"memory {self.grown_bytes / 2**20:+6.1f} MB, {self.restarts} restarts, "
            f"{self.rounds} rounds"
        )

    def figures(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self) | {"factor": round(self.factor, 2)}


async def lay_siege(home: Path, attack: str, seconds: float, before: Before = nothing) -> Siege:
    """Measure without, then with the attack, on one server and what stands ``before`` it."""
    siege = Siege(attack)
    async with ServerProcess(home, model=MODEL) as server, before(server, home) as front:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{front.port}") as channel:
            await _serve(channel, server, seconds / 2)  # warm-up
            siege.without_ms = p99_ms(await _serve(channel, server, seconds))
            weight = front.resident_bytes
            attacker = await _attacker(attack, front.port)
            weighing = asyncio.create_task(_weigh(front, siege, weight))
            try:
                bystander = await _serve(channel, server, seconds)
            finally:
                siege.rounds = await _end(attacker)
                weighing.cancel()
                await asyncio.gather(weighing, return_exceptions=True)
            siege.with_ms, siege.served = p99_ms(bystander), len(bystander.delays_s)
            siege.failures = bystander.failures
            siege.failures += (await _serve(channel, server, 0.5)).failures  # it recovers
        siege.restarts, siege.defects = front.restarts, server.defects
    return siege


def p99_ms(bystander: Bystander) -> float:
    """The time within which 99 % of the good client's calls were answered."""
    return 1000 * percentile(bystander.delays_s, 99) if bystander.delays_s else 0.0


async def _serve(channel: grpc.aio.Channel, server: ServerProcess, seconds: float) -> Bystander:
    bystander = Bystander(channel, server.key.secret, gap_s=0.002)
    task = asyncio.create_task(bystander.run())
    await asyncio.wait({task}, timeout=seconds)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return bystander


async def _weigh(front: Front, siege: Siege, before: int) -> None:
    while not front.restarts:
        siege.grown_bytes = max(siege.grown_bytes, front.resident_bytes - before)
        await asyncio.sleep(SAMPLE_S)


async def _attacker(attack: str, port: int) -> asyncio.subprocess.Process:
    """The attack in a process of its own, which yields to others: it would be another machine."""
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", "10", sys.executable, "-m", "tests.proofs.wire.attacker"),
        *(attack, str(port)),
        cwd=ROOT,
        env=environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), BEGIN_S)
    return process


async def _end(attacker: asyncio.subprocess.Process) -> int:
    """End it; returns how many rounds it began."""
    if attacker.returncode is None:
        attacker.terminate()
    output, _ = await asyncio.wait_for(attacker.communicate(), AFTER_S)
    return int(json.loads(output)["rounds"]) if output else 0


def summary(sieges: list[Siege], began: float) -> str:
    """One line for all."""
    wrong = sum(bool(siege.wrong) for siege in sieges)
    worst = max((siege.factor for siege in sieges), default=0.0)
    grown = max((siege.grown_bytes for siege in sieges), default=0) / 2**20
    return (
        f"sieges: {len(sieges)} attacks in {time.monotonic() - began:.0f} s, {wrong} with harm; "
        f"good client's p99 at most {worst:.1f}x, memory at most {grown:+.0f} MB, "
        f"{sum(siege.restarts for siege in sieges)} restarts"
    )
