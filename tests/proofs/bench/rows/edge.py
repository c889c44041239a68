"""What Envoy costs: before the server, and before a bare one, so that the two can be told apart."""

from typing import Any

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, paired
from tests.proofs.bench.meshes import edge_before_floor, mesh
from tests.proofs.bench.rows.hop import Results, compared, cpu
from tests.proofs.bench.rows.sides import of

CLIENTS = 10
SUBSCRIBERS = 200
PER_SECOND = 500
KINDS = {"post": "a post", "delivery": "post to delivery"}
FLOOR = "a bare call"


async def edge(bench: Bench) -> list[Figure]:
    """Posts and deliveries directly and through it, by gRPC and grpc-web; and a fan-out."""
    async with (
        bench.floor("delivery") as floor,
        edge_before_floor(bench, floor) as floors_edge,
        mesh(bench, 1) as ours,
    ):
        direct = ours.target(ours.servers[0].address)
        bare = floor.target | {"parts": {"servers": [floor.pid]}}
        sides = [bare, floors_edge, direct, ours.target(), ours.target(web=True)]

        async def steps(target: dict[str, Any]) -> dict[str, Any]:
            job = {"clients": CLIENTS, "seconds": bench.seconds / 3, "kinds": list(KINDS)}
            return await bench.load("steps", target=target, **job)

        measured = await bench.in_turn(*(lambda it=side: steps(it) for side in sides))
        publisher = await ours.publisher()

        async def fan_out(target: dict[str, Any]) -> dict[str, Any]:
            job = {"subscribers": SUBSCRIBERS, "per_second": PER_SECOND, "scope": "global"}
            return await bench.load(
                "fan_out", target=target, publisher=publisher, seconds=bench.seconds / 2, **job
            )

        fans = await bench.in_turn(lambda: fan_out(direct), lambda: fan_out(ours.target()))
    return [*_of_calls(*measured), *_of_fan_out(*fans)]


def _of_calls(
    bare: Results, bare_edge: Results, direct: Results, edge: Results, web: Results
) -> list[Figure]:
    figures = [
        *compared(f"edge: {FLOOR}", "post", bare_edge, bare),
        _envoys(f"edge: {FLOOR}, Envoy's CPU", "post", bare_edge),
    ]
    for kind, name in KINDS.items():
        for how, side in (("gRPC", edge), ("grpc-web", web)):
            figures += compared(f"edge, {how}: {name}", kind, side, direct)
            figures.append(_envoys(f"edge, {how}: {name}, Envoy's CPU", kind, side))
    return figures


def _envoys(name: str, kind: str, side: Results) -> Figure:
    return paired(name, "ms", cpu(side, kind, "Envoy"))


def _of_fan_out(direct: Results, edge: Results) -> list[Figure]:
    def used(side: Results, part: str) -> list[float]:
        return [result["parts_us"][part] for result in side]

    name = f"edge: fan-out to {SUBSCRIBERS}"
    late, late_direct = ([1000 * it for it in of(list(side), "p99_s")] for side in (edge, direct))
    return [
        paired(name, "events/s", of(list(edge), "events_per_s"), of(list(direct), "events_per_s")),
        paired(f"{name}, p99", "ms", late, late_direct),
        paired(f"{name}, server's CPU", "us/event", used(edge, "servers"), used(direct, "servers")),
        paired(f"{name}, Envoy's CPU", "us/event", used(edge, "Envoy")),
    ]
