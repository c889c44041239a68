"""The servers' memory: sampled under load and in the quiet after it, and judged."""

import asyncio
import itertools
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import psutil

from tests.e2e.server import ServerProcess

SAMPLE_S, QUIET_SAMPLE_S = 0.25, 0.1
CALM_S, QUIET_S = 0.5, 3.0
# With what finds by words, 20 MB of it, and an index of what was said.
MOST_BYTES, MOST_AT_REST_BYTES = 256 << 20, 224 << 20
# Nothing happens in the quiet, so nothing may grow but by chance.
QUIET_BYTES = 3 << 19
# A life that is long enough to tell growth from what fills up, and how fast it may grow.
LONG_S, MOST_BYTES_PER_S, PIECES = 60.0, 0.5 * (1 << 20), 12
# A busy machine, or a server between two lives, may leave out so many of the samples.
LEAST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Sample:
    """How much a process held, and when (seconds of the monotonic clock)."""

    at: float
    pid: int
    held: int


@dataclass(slots=True)
class Memory:
    """Samples of loaded servers and of quiet ones, and for how long they were loaded."""

    loaded: list[Sample]
    quiet: list[Sample]
    seconds: float = 0.0

    @property
    def peak_bytes(self) -> int:
        """The most that one of them ever held."""
        return max((it.held for it in [*self.loaded, *self.quiet]), default=0)

    @property
    def wrong(self) -> list[str]:
        """What is not bounded, or was not looked at."""
        if len(self.loaded) < LEAST_SHARE * self.seconds / SAMPLE_S or len(self.quiet) < 2:
            looks = f"{len(self.loaded)} and {len(self.quiet)} times"
            return [f"memory: was looked at {looks} in {self.seconds:.0f} s"]
        found = [(self.peak_bytes > MOST_BYTES, f"{self.peak_bytes >> 20} MB at most")]
        for life in lives(self.quiet):
            grown, rest = life[-1].held - life[0].held, life[-1].held
            found += [
                (rest > MOST_AT_REST_BYTES, f"{rest >> 20} MB when all was over"),
                (grown > QUIET_BYTES, f"{grown / 2**20:.1f} MB more while nothing happened"),
            ]
        found += [
            (slope > MOST_BYTES_PER_S, f"{slope / 2**20:.1f} MB/s more and more")
            for slope in slopes(self.loaded)
        ]
        return [f"memory: {what}" for is_wrong, what in found if is_wrong]


def lives(samples: Sequence[Sample]) -> list[list[Sample]]:
    """The samples of each process."""
    found: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.pid].append(sample)
    return list(found.values())


def slopes(samples: Sequence[Sample]) -> list[float]:
    """How fast each long life grew after its first third, in bytes/s, but for its largest step.

    A server's first turn takes 20 MB for what talks to models, and may come late: its neighbour
    had all conversations until it was killed.
    """
    found = []
    for life in lives(samples):
        size = 2 * len(life) // (3 * PIECES)
        if life[-1].at - life[0].at >= LONG_S and size:
            pieces = [life[-size * nth :][:size] for nth in range(PIECES, 0, -1)]
            held = [statistics.median(it.held for it in piece) for piece in pieces]
            steps = [after - before for before, after in itertools.pairwise(held)]
            found.append((sum(steps) - max(steps)) / (pieces[-1][0].at - pieces[0][0].at))
    return found


@asynccontextmanager
async def sampled(servers: Sequence[ServerProcess]) -> AsyncIterator[Memory]:
    """Sample the servers' memory for the block's time."""
    memory, began = Memory([], []), time.monotonic()
    task = asyncio.create_task(_sample(servers, memory.loaded, SAMPLE_S))
    try:
        yield memory
    finally:
        memory.seconds = time.monotonic() - began
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
    if isinstance(outcome, Exception):
        raise outcome


async def rest(servers: Sequence[ServerProcess], memory: Memory, calm_s: float) -> None:
    """Let the servers alone for a while, and sample what they hold when ``calm_s`` is over."""
    await asyncio.sleep(calm_s)
    with suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            await _sample(servers, memory.quiet, QUIET_SAMPLE_S)


async def _sample(servers: Sequence[ServerProcess], samples: list[Sample], every_s: float) -> None:
    while True:
        for server in servers:
            with suppress(psutil.NoSuchProcess):  # it may be between two lives
                if held := server.resident_bytes:
                    samples.append(Sample(time.monotonic(), server.pid, held))
        await asyncio.sleep(every_s)
