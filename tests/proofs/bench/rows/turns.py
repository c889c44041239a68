"""Turns a second: 50 clients, 20 deltas without a gap, authenticated and durable."""

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, Target, at_least, at_most, paired
from tests.proofs.bench.rows.ceilings import client_ceiling, model_ceiling
from tests.proofs.bench.rows.sides import of, relay_and_server

CLIENTS = 50
DELTAS = 20


async def turns(bench: Bench) -> list[Figure]:
    """The relay's clients call Generate; the server's post over Converse and read to the end."""
    async with relay_and_server(bench, DELTAS, gap_ms=0) as sides:
        floor, ours = await sides.turns(CLIENTS)

    def figure(name: str, unit: str, key: str, *target: Target) -> Figure:
        return paired(name, unit, of(ours, key), of(floor, key), *target)

    return [
        figure("turns, 50 clients, 20 deltas", "turns/s", "turns_per_s", at_least(0.5)),
        figure("server CPU per turn", "ms", "cpu_ms_per_turn", at_most(2)),
        figure("server's cores, turns", "cores", "cpu_share"),
        figure("load client's cores, turns", "cores", "client_cpu_share"),
        figure("frames a turn", "frames", "frames_per_turn"),
        await model_ceiling(bench, CLIENTS, DELTAS),
        await client_ceiling(bench, CLIENTS, DELTAS),
    ]
