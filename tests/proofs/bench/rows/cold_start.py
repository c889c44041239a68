"""From starting the process to health SERVING, and what is resident then."""

import time

from tests.proofs.bench.antiphon import antiphon
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, Target, at_most, paired
from tests.proofs.bench.servers import Measured

MB = 1_000_000
Started = tuple[float, float, float]


async def cold_start(bench: Bench) -> list[Figure]:
    """On a fresh data directory (keys, tables) and on an existing one; floor: a bare server."""
    kept = bench.fresh()
    await _start(antiphon(kept))
    bare, fresh, existing = await bench.in_turn(
        lambda: _start(bench.floor()),
        lambda: _start(antiphon(bench.fresh())),
        lambda: _start(antiphon(kept)),
    )
    return [
        *_figures("fresh data", fresh, bare),
        *_figures("existing data", existing, bare),
    ]


async def _start(server: Measured) -> Started:
    begun = time.perf_counter()
    async with server:
        took = time.perf_counter() - begun
        return took, server.resident_bytes / MB, server.cpu_s


def _figures(what: str, found: list[Started], bare: list[Started]) -> list[Figure]:
    def figure(name: str, unit: str, at: int, *target: Target) -> Figure:
        ours, floor = ([one[at] for one in side] for side in (found, bare))
        return paired(f"{name}, {what}", unit, ours, floor, *target)

    return [
        figure("cold start", "s", 0, at_most(1, of_floor=False)),
        # On a busy machine this says more than the time on the clock.
        figure("processor time of a cold start", "s", 2),
        figure("resident after it", "MB", 1, at_most(80, of_floor=False)),
    ]
