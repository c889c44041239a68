"""Turns a second: 50 clients, 20 deltas without a gap, authenticated and durable."""

from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_least, at_most, median
from tests.bench.rows.sides import of, relay_and_server

CLIENTS = 50
DELTAS = 20


async def turns(bench: Bench) -> list[Figure]:
    """The relay's clients call Generate; the server's post over Converse and read to the end."""
    async with relay_and_server(bench, DELTAS, gap_ms=0) as sides:
        floor, ours = await sides.turns(CLIENTS)
    return [
        Figure(
            "turns, 50 clients, 20 deltas",
            median(of(ours, "turns_per_s")),
            "turns/s",
            median(of(floor, "turns_per_s")),
            at_least(0.5),
        ),
        Figure(
            "server CPU, deltas without a gap",
            median(of(ours, "cpu_s_per_1000")),
            "s/1,000 deltas",
            median(of(floor, "cpu_s_per_1000")),
            at_most(2),
        ),
    ]
