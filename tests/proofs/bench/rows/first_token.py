"""Added time to first token: 10 clients, 5 ms between deltas; the model itself takes none."""

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, paired
from tests.proofs.bench.rows.sides import in_ms, relay_and_server

CLIENTS = 10
DELTAS = 20
GAP_MS = 5


async def first_token(bench: Bench) -> list[Figure]:
    """From the client's post to its first text, through the log, beside the bare relay."""
    async with relay_and_server(bench, DELTAS, GAP_MS) as sides:
        floor, ours = await sides.first_tokens(CLIENTS)

    def figure(percent: int, bound: float) -> Figure:
        value, least = (in_ms(side, "first_s", percent) for side in (ours, floor))
        name = f"added time to first token, p{percent}"
        return paired(name, "ms", value, least, at_most(bound))

    return [figure(50, 2), figure(99, 3)]
