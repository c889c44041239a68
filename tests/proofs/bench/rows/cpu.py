"""The server's processor time per 1,000 deltas: 10 clients, long answers, 5 ms between deltas."""

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, paired
from tests.proofs.bench.rows.sides import of, relay_and_server

CLIENTS = 10
DELTAS = 200
GAP_MS = 5
KEY = "cpu_s_per_1000"


async def cpu(bench: Bench) -> list[Figure]:
    """User and system time of the server's process, store included."""
    async with relay_and_server(bench, DELTAS, GAP_MS) as sides:
        floor, ours = await sides.turns(CLIENTS)
    name = "server CPU, deltas every 5 ms"
    return [paired(name, "s/1,000 deltas", of(ours, KEY), of(floor, KEY), at_most(2))]
