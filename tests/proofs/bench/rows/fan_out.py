"""Fan-out: one scope, 500 subscribers, 1,000 published a second in open loop."""

from typing import Any

from tests.proofs.bench.antiphon import service_token
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, Target, at_least, at_most, paired
from tests.proofs.bench.rows.sides import of

SUBSCRIBERS = 500
PER_SECOND = 1000
SCOPE = "global"


async def fan_out(bench: Bench) -> list[Figure]:
    """The floor is the bare trial: a shared ring, 50 ms between two writes to one stream."""
    data_dir = bench.fresh() / "data"
    token = await service_token(data_dir)
    async with bench.floor("ring") as floor, bench.antiphon(data_dir) as ours:

        async def load(target: dict[str, Any], publisher: dict[str, Any]) -> dict[str, Any]:
            return await bench.load(
                "fan_out",
                target=target,
                publisher=publisher,
                scope=SCOPE,
                subscribers=SUBSCRIBERS,
                per_second=PER_SECOND,
                seconds=bench.seconds,
            )

        bare, measured = await bench.in_turn(
            lambda: load(floor.target, floor.target),
            lambda: load(ours.target, ours.target | {"token": token}),
        )

    def figure(name: str, unit: str, key: str, *target: Target, scale: float = 1) -> Figure:
        ours_, floors = ([value * scale for value in of(side, key)] for side in (measured, bare))
        return paired(name, unit, ours_, floors, *target)

    return [
        figure(
            f"fan-out to {SUBSCRIBERS} subscribers",
            "events/s",
            "events_per_s",
            at_least(400_000, of_floor=False),
        ),
        figure("fan-out, p99", "ms", "p99_s", at_most(150, of_floor=False), scale=1000),
        figure("server's cores, fan-out", "cores", "cpu_share"),
        figure("load client's cores, fan-out", "cores", "client_cpu_share"),
    ]
