"""How latency grows with ten times the conversations, and with ten times the history."""

from functools import partial

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, paired
from tests.proofs.bench.rows.worlds import walk, world

WALKED = 10


async def growth(bench: Bench) -> list[Figure]:
    """A walk is: post, list messages, list conversations, open a watch, and a whole turn."""
    conversations, history = (50, 60) if bench.quick else (300, 100)
    async with (
        world(bench, conversations, [history] * WALKED) as base,
        world(bench, conversations * 10, [history] * WALKED) as wide,
        world(bench, conversations, [history * 10] * WALKED) as deep,
    ):
        walks = await bench.in_turn(*(partial(walk, bench, it) for it in (base, wide, deep)))
    least, wider, deeper = ([steps["walk"] for steps in of_one] for of_one in walks)
    return [
        paired("walk, 10x conversations", "ms", wider, least, at_most(1.2)),
        paired("walk, 10x history", "ms", deeper, least, at_most(1.2)),
    ]
