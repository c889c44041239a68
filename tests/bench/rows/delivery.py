"""Post to delivery with one subscriber, beside one bare bidirectional echo."""

from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_most, paired
from tests.bench.rows.sides import in_ms


async def delivery(bench: Bench) -> list[Figure]:
    """From the beginning of PostMessage to the batch on the subscriber's stream."""
    async with bench.floor("echo") as floor, bench.antiphon() as ours:
        bare, measured = await bench.in_turn(
            lambda: bench.load("echo", target=floor.target, seconds=bench.seconds),
            lambda: bench.load("delivery", target=ours.target, seconds=bench.seconds),
        )

    def figure(percent: int, bound: float) -> Figure:
        value, least = (in_ms(side, "took_s", percent) for side in (measured, bare))
        return paired(f"post to delivery, p{percent}", "ms", value, least, at_most(bound))

    return [figure(50, 2), figure(99, 3)]
