"""What rows about turns compare: the relay and the server, on one model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import percentile

Results = list[dict[str, Any]]
Rounds = tuple[Results, Results]
"""Of the floor and of the server."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What loads are told about each."""

    bench: Bench
    floor: dict[str, Any]
    ours: dict[str, Any]
    deltas: int

    async def turns(self, clients: int, at_least_s: float = 0) -> Rounds:
        """Results of the load ``turns`` on the floor and on the server, round by round."""
        return await self._both("turns", at_least_s, clients=clients, deltas=self.deltas)

    async def first_tokens(self, clients: int) -> Rounds:
        """The same of the load ``first_token``."""
        return await self._both("first_token", 0, clients=clients)

    async def _both(self, load: str, at_least_s: float, **job: Any) -> Rounds:
        bench, seconds = self.bench, max(self.bench.seconds, at_least_s)
        floor, ours = await bench.in_turn(
            lambda: bench.load(load, target=self.floor, seconds=seconds, **job),
            lambda: bench.load(load, target=self.ours, seconds=seconds, **job),
        )
        return floor, ours


@asynccontextmanager
async def relay_and_server(bench: Bench, deltas: int, gap_ms: float) -> AsyncIterator[Sides]:
    """Both, ready and warm, and the model behind them."""
    async with (
        bench.model(deltas, gap_ms) as model,
        bench.floor(f"relay={model.line}") as floor,
        bench.antiphon(model_url=model.line) as ours,
    ):
        for target in (floor.target, ours.target):  # what is imported at first use
            await bench.load("turns", target=target, clients=2, seconds=0.2, deltas=deltas)
        yield Sides(bench, floor.target, ours.target, deltas)


def of(results: Results, name: str) -> list[float]:
    """One figure of each round."""
    return [result[name] for result in results]


def in_ms(results: Results, name: str, percent: float) -> list[float]:
    """A percentile of each round's durations, in milliseconds."""
    return [percentile(result[name], percent) * 1000 for result in results]
