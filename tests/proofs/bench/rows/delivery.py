"""Post to delivery with one subscriber, beside one bare bidirectional echo."""

from typing import Any

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, Target, at_most, paired
from tests.proofs.bench.rows.sides import Results, in_ms


async def delivery(bench: Bench) -> list[Figure]:
    """From the beginning of PostMessage to the batch on the subscriber's stream."""
    async with (
        bench.floor("echo") as echo,
        bench.floor("delivery") as bare,
        bench.antiphon() as ours,
    ):

        async def load(way: str, target: dict[str, Any]) -> dict[str, Any]:
            return await bench.load("delivery", way=way, target=target, seconds=bench.seconds)

        floor, least, measured, conversed = await bench.in_turn(
            lambda: load("echo", echo.target),
            lambda: load("another", bare.target),
            lambda: load("another", ours.target),
            lambda: load("own", ours.target),
        )

    def figure(name: str, side: Results, percent: int, *target: Target) -> Figure:
        of_side, of_floor = (in_ms(results, "took_s", percent) for results in (side, floor))
        return paired(f"{name}, p{percent}", "ms", of_side, of_floor, *target)

    return [
        figure("post to delivery", measured, 50, at_most(2)),
        figure("post to delivery", measured, 99, at_most(3)),
        figure("post to delivery on one Converse stream", conversed, 50),
        figure("post to delivery on one Converse stream", conversed, 99),
        # What two calls cost where there is nothing to do: no server of this shape is faster.
        figure("the same two calls, bare", least, 50),
        figure("the same two calls, bare", least, 99),
    ]
