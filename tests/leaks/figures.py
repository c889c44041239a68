"""Samples of one long run, and what they say."""

from dataclasses import asdict, dataclass
from statistics import linear_regression
from typing import Any

from tests.leaks.probed import Weight

MOST_MB = 1.0
"""What may be kept of 10,000."""
MOST_BLOCKS = 0.5
"""What may be kept of one, in memory blocks of Python: less than an object of any kind."""
POOL_THREADS = 2
"""How many threads gRPC's pool may start more, where work waits; they do not grow with count."""
POOL_DESCRIPTORS = 6
"""How many the store's readers and idle connections to models may keep more."""
JUDGED_MB = 10_000
"""How many it takes until memory is judged: before, the C library is still warming up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server held after ``count``."""

    count: int
    weight: Weight


@dataclass(frozen=True, slots=True)
class Figures:
    """A run: ``samples`` from the end of its warm-up on, and what grew most."""

    what: str
    seed: int
    seconds: float
    samples: list[Sample]
    grown: dict[str, int]
    noise: int = 400
    """How many blocks come and go without a leak: weak references, timers, SQLite's."""

    @property
    def count(self) -> int:
        """How many were measured."""
        return self.samples[-1].count - self.samples[0].count

    @property
    def mb_per_10k(self) -> float:
        """How the memory grows, by the line that fits best."""
        return self._slope([sample.weight.anonymous_mb for sample in self.samples]) * 10_000

    @property
    def blocks_each(self) -> float:
        """How many blocks of memory Python keeps of each.

        What is held for a while is given back in some later sample; what leaks never is.
        """
        blocks = [float(sample.weight.blocks) for sample in self.samples]
        return self._slope([min(blocks[at:]) for at in range(len(blocks))])

    @property
    def tasks_left(self) -> int:
        """How many tasks there are more than after the warm-up."""
        return self._last.tasks - self._first.tasks

    @property
    def descriptors_left(self) -> int:
        """How many file descriptors there are more."""
        return self._last.descriptors - self._first.descriptors

    @property
    def threads_left(self) -> int:
        """How many threads there are more."""
        return self._last.threads - self._first.threads

    @property
    def wrong(self) -> list[str]:
        """What was left behind though nothing may be."""
        found = {
            f"{self.tasks_left} tasks: {self._last.task_names}": self.tasks_left > 0,
            f"{self.descriptors_left} file descriptors": self.descriptors_left > POOL_DESCRIPTORS,
            f"{self.threads_left} threads": self.threads_left > POOL_THREADS,
            f"{self.mb_per_10k:.2f} MB per 10,000": self._is_large and self.mb_per_10k >= MOST_MB,
            f"{self.blocks_each:.2f} blocks each: {self.grown}": self._blocks_leak,
        }
        return [f"{self.what} left {what}" for what, is_wrong in found.items() if is_wrong]

    @property
    def _blocks_leak(self) -> bool:
        return self.blocks_each * self.count >= max(MOST_BLOCKS * self.count, self.noise)

    @property
    def _is_large(self) -> bool:
        return self.count >= JUDGED_MB

    @property
    def line(self) -> str:
        """Return the summary."""
        return (
            f"{self.what}: {self.count} in {self.seconds:.0f} s, seed {self.seed}; "
            f"{self.mb_per_10k:+.3f} MB per 10,000, {self.blocks_each:+.4f} blocks each; left: "
            f"{self.tasks_left} tasks, {self.descriptors_left} descriptors, "
            f"{self.threads_left} threads"
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything, for a file."""
        return asdict(self) | {
            "count": self.count,
            "mb_per_10k": self.mb_per_10k,
            "blocks_each": self.blocks_each,
            "tasks_left": self.tasks_left,
            "descriptors_left": self.descriptors_left,
            "threads_left": self.threads_left,
        }

    @property
    def _first(self) -> Weight:
        return self.samples[0].weight

    @property
    def _last(self) -> Weight:
        return self.samples[-1].weight

    def _slope(self, values: list[float]) -> float:
        return linear_regression([sample.count for sample in self.samples], values).slope
