"""Durable posts a second: ContextService.PostMessage, 50 clients, beside bare unary calls."""

from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_least, median
from tests.bench.rows.sides import of

CLIENTS = 50


async def posts(bench: Bench) -> list[Figure]:
    """Each post is authenticated, checked, committed and told to nobody in particular."""
    async with bench.floor("unary") as floor, bench.antiphon() as ours:
        bare, measured = await bench.in_turn(
            lambda: bench.load(
                "posts", target=floor.target, clients=CLIENTS, seconds=bench.seconds
            ),
            lambda: bench.load("posts", target=ours.target, clients=CLIENTS, seconds=bench.seconds),
        )
    return [
        Figure(
            "durable posts, 50 clients",
            median(of(measured, "posts_per_s")),
            "posts/s",
            median(of(bare, "posts_per_s")),
            at_least(0.5),
        )
    ]
