"""The server's processor time per 1,000 deltas: 10 clients, long answers, 5 ms between deltas."""

from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_most, median
from tests.bench.rows.sides import of, relay_and_server

CLIENTS = 10
DELTAS = 200
GAP_MS = 5


async def cpu(bench: Bench) -> list[Figure]:
    """User and system time of the server's process, store included."""
    async with relay_and_server(bench, DELTAS, GAP_MS) as sides:
        floor, ours = await sides.turns(CLIENTS)
    return [
        Figure(
            "server CPU, deltas every 5 ms",
            median(of(ours, "cpu_s_per_1000")),
            "s/1,000 deltas",
            median(of(floor, "cpu_s_per_1000")),
            at_most(2),
        )
    ]
