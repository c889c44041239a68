"""What rows about turns compare: the relay and the server, on one model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.bench import Bench


@dataclass(frozen=True, slots=True)
class Sides:
    """What loads are told about each."""

    bench: Bench
    floor: dict[str, Any]
    ours: dict[str, Any]

    async def turns(self, clients: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Results of the load ``turns`` on the floor and on the server, round by round."""
        seconds = self.bench.seconds
        return await self.bench.in_turn(
            lambda: self.bench.load("turns", target=self.floor, clients=clients, seconds=seconds),
            lambda: self.bench.load("turns", target=self.ours, clients=clients, seconds=seconds),
        )


@asynccontextmanager
async def relay_and_server(bench: Bench, deltas: int, gap_ms: float) -> AsyncIterator[Sides]:
    """Both, ready and warm, and the model behind them."""
    async with (
        bench.model(deltas, gap_ms) as model,
        bench.floor(f"relay={model}") as floor,
        bench.antiphon(model_url=model) as ours,
    ):
        for target in (floor.target, ours.target):  # what is imported at first use
            await bench.load("turns", target=target, clients=2, seconds=0.2)
        yield Sides(bench, floor.target, ours.target)


def of(results: list[dict[str, Any]], name: str) -> list[float]:
    """One figure of each round."""
    return [result[name] for result in results]
