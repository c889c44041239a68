"""Samples of one long run, and what they say."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import linear_regression
from typing import Any

from tests.proofs.leaks.probed import Weight

MOST_MB = 1.0
"""What may be kept of 10,000."""
MOST_BLOCKS = 0.5
"""What may be kept of one, in memory blocks of Python: less than an object of any kind."""
FEW = 4
"""Of fewer samples no step can be left out."""
JUDGED_MB = 10_000
"""How many it takes until memory is judged: before, the C library is still warming up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server held after ``count``."""

    count: int
    weight: Weight


@dataclass(frozen=True, slots=True)
class Figures:
    """A run: the ``idle`` server, ``samples`` from the warm-up's end on, and what grew most."""

    what: str
    seed: int
    seconds: float
    idle: Weight
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

        What is held for a while is given back in some later sample; what leaks never is. So the
        last one, behind which there is none, says only what was given back. Nor is one step a leak,
        however large: what is filled once may be filled late, but what leaks grows all along.
        """
        blocks = [float(sample.weight.blocks) for sample in self.samples]
        judged = max(len(blocks) - 1, 2)
        held = [min(blocks[at:]) for at in range(judged)]
        if judged < FEW:
            return self._slope(held)
        steps = [after - before for before, after in pairwise(held)]
        largest = steps.index(max(steps))
        counts = [after.count - before.count for before, after in pairwise(self.samples[:judged])]
        return (sum(steps) - steps[largest]) / (sum(counts) - counts[largest])

    @property
    def left(self) -> dict[str, int]:
        """Tasks, descriptors and threads that the idle server did not have."""
        return self._last.beyond(self.idle)

    @property
    def wrong(self) -> list[str]:
        """What was left behind though nothing may be."""
        found = {
            f"tasks, descriptors or threads: {self.left}": bool(self.left),
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
            f"{self.left or 'no task, no descriptor, no thread'}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything, for a file."""
        return asdict(self) | {
            "count": self.count,
            "mb_per_10k": self.mb_per_10k,
            "blocks_each": self.blocks_each,
            "left": self.left,
        }

    @property
    def _last(self) -> Weight:
        return self.samples[-1].weight

    def _slope(self, values: list[float]) -> float:
        counts = [sample.count for sample in self.samples[: len(values)]]
        return linear_regression(counts, values).slope
