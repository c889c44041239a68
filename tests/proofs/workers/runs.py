"""Seeded runs, one after the other, in a time of their own."""

import asyncio
import random
import secrets
import time
from collections.abc import Iterator

import pytest

from tests.proofs.workers.loop import ProgramsLoop
from tests.proofs.workers.place import Place
from tests.proofs.workers.rig import Rig

EPOCH = 1_800_000_000.0


def run_once(seed: str, kind: type[Rig] = Rig) -> tuple[list[str], Rig]:
    """One run; what was wrong with it."""
    loop = ProgramsLoop()
    Place.watch(loop)
    random.seed(seed)
    with pytest.MonkeyPatch.context() as times, asyncio.Runner(loop_factory=lambda: loop) as runner:
        times.setattr(time, "monotonic", lambda: loop.time() + 1000.0)
        times.setattr(time, "clock_gettime", lambda _: loop.time() + 1000.0)
        times.setattr(time, "time", lambda: loop.time() + EPOCH)
        times.setattr(time, "time_ns", lambda: int((loop.time() + EPOCH) * 1e9))
        chance = random.Random(seed)
        times.setattr(secrets, "token_hex", lambda size: chance.randbytes(size).hex())
        rig = kind(seed)
        return runner.run(rig.run()), rig


def runs_of(count: int, seed: str, first: int = 0) -> Iterator[tuple[str, list[str], Rig]]:
    """Each run's own seed, what was wrong with it, and the run."""
    for number in range(first, first + count):
        own = f"{seed}/{number}"
        wrong, rig = run_once(own)
        yield own, wrong, rig
