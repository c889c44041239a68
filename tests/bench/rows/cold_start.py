"""From starting the process to health SERVING, and what is resident then."""

import time
from contextlib import AbstractAsyncContextManager

from tests.bench.antiphon import launched_antiphon
from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_most, paired
from tests.bench.processes import Server, launched

MB = 1_000_000
BARE = "tests.bench.floors"
Started = tuple[float, float]


async def cold_start(bench: Bench) -> list[Figure]:
    """On a fresh data directory (keys, tables) and on an existing one; floor: a bare server."""
    bare: list[Started] = []
    fresh: list[Started] = []
    existing: list[Started] = []
    for _ in range(bench.rounds):
        folder = bench.fresh()
        bare.append(await _start(launched(BARE, log=folder / "log")))
        fresh.append(await _start(launched_antiphon(folder / "data")))
        existing.append(await _start(launched_antiphon(folder / "data")))
    return [
        *_figures("fresh data", fresh, bare),
        *_figures("existing data", existing, bare),
    ]


async def _start(launch: AbstractAsyncContextManager[Server]) -> Started:
    begun = time.perf_counter()
    async with launch as server:
        await server.serving()
        return time.perf_counter() - begun, server.resident_bytes / MB


def _figures(what: str, found: list[Started], bare: list[Started]) -> list[Figure]:
    seconds, resident = ([one[at] for one in found] for at in (0, 1))
    floor_s, floor_resident = ([one[at] for one in bare] for at in (0, 1))
    in_s, in_mb = at_most(1, of_floor=False), at_most(80, of_floor=False)
    return [
        paired(f"cold start, {what}", "s", seconds, floor_s, in_s),
        paired(f"resident after it, {what}", "MB", resident, floor_resident, in_mb),
    ]
