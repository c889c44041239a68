"""Durable posts a second: ContextService.PostMessage, 50 clients, beside bare unary calls."""

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, Target, at_least, paired
from tests.proofs.bench.rows.sides import of

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

    def figure(name: str, unit: str, key: str, *target: Target) -> Figure:
        return paired(name, unit, of(measured, key), of(bare, key), *target)

    return [
        figure("durable posts, 50 clients", "posts/s", "posts_per_s", at_least(0.5)),
        figure("server CPU per post", "ms", "cpu_ms_per_post"),
        figure("load client's cores, posts", "cores", "client_cpu_share"),
    ]
