"""Durable posts a second: ContextService.PostMessage, 50 clients, beside bare unary calls."""

from typing import Any

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, Target, at_least, paired
from tests.proofs.bench.rows.sides import of

CLIENTS = 50


async def posts(bench: Bench) -> list[Figure]:
    """Each post is authenticated, checked, committed and told to nobody in particular."""
    async with bench.floor("unary") as floor, bench.antiphon() as ours:

        async def load(target: dict[str, Any]) -> dict[str, Any]:
            job = {"clients": CLIENTS, "seconds": bench.seconds, "alone": False}
            result = await bench.load("steps", kinds=["post"], target=target, **job)
            return dict(result["post"])

        bare, measured = await bench.in_turn(lambda: load(floor.target), lambda: load(ours.target))

    def figure(name: str, unit: str, key: str, *target: Target) -> Figure:
        return paired(name, unit, of(measured, key), of(bare, key), *target)

    return [
        figure("durable posts, 50 clients", "posts/s", "per_s", at_least(0.5)),
        figure("server CPU per post", "ms", "cpu_ms"),
        figure("load client's cores, posts", "cores", "client_cpu_share"),
    ]
