"""Post to delivery with one subscriber, beside one bare bidirectional echo."""

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
        floor, least, measured, conversed = await bench.in_turn(
            lambda: bench.load("echo", target=echo.target, seconds=bench.seconds),
            lambda: bench.load("delivery", target=bare.target, seconds=bench.seconds),
            lambda: bench.load("delivery", target=ours.target, seconds=bench.seconds),
            lambda: bench.load("converse", target=ours.target, seconds=bench.seconds),
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
