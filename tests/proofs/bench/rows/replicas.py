"""What more servers bring on one machine: 1, 2 and 4 behind an Envoy, on one Postgres and Redis."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from tests.proofs.bench.antiphon import Antiphon, service_token
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, paired, point
from tests.proofs.bench.meshes import Mesh, mesh, stores
from tests.proofs.bench.rows.sides import in_ms

COUNTS = (1, 2, 4)
CLIENTS = 50
SUBSCRIBERS = 500
PER_SECOND = 500
TURNS = 10
DELTAS, GAP_MS = 20, 5
PARTS = ("servers", "Postgres", "Redis", "Envoy")
Results = Sequence[dict[str, Any]]


async def replicas(bench: Bench) -> list[Figure]:
    """Posts, each client in its conversation and all in one; fan-out; lanes elsewhere."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(bench.model(DELTAS, GAP_MS))
        data_dir = bench.fresh() / "data"
        token = await service_token(data_dir)
        embedded = await stack.enter_async_context(bench.antiphon(data_dir, model.line))
        shared = await stack.enter_async_context(stores(bench.fresh()))
        meshes = [
            await stack.enter_async_context(
                mesh(bench, n, await shared.variables(f"of_{n}"), shared.parts, model.line)
            )
            for n in COUNTS
        ]
        return [
            *await _posts(bench, embedded, meshes, together=False),
            *await _posts(bench, embedded, meshes, together=True),
            *await _fan_out(bench, embedded, token, meshes),
            *await _first_tokens(bench, meshes[COUNTS.index(2)]),
        ]


async def _posts(
    bench: Bench, embedded: Antiphon, meshes: Sequence[Mesh], *, together: bool
) -> list[Figure]:
    targets = [_alone(embedded), *(each.target() for each in meshes)]

    async def load(target: dict[str, Any]) -> dict[str, Any]:
        job = {"clients": CLIENTS, "seconds": bench.seconds / 2, "together": together}
        result = await bench.load("steps", kinds=["post"], alone=False, target=target, **job)
        return dict(result["post"])

    floor, *found = await bench.in_turn(*(partial(load, target) for target in targets))
    which = "one conversation" if together else f"{CLIENTS} conversations"
    return [
        *_curve(f"posts in {which}", "posts/s", found, floor, lambda it: it["per_s"]),
        *_cpu(f"a post in {which}", "ms", "ms", found, floor),
        *_curve(
            f"cores busy with posts in {which}",
            "cores",
            found,
            floor,
            lambda it: sum(it["ms"].values()) * it["per_s"] / 1000,
        ),
    ]


async def _fan_out(
    bench: Bench, embedded: Antiphon, token: str, meshes: Sequence[Mesh]
) -> list[Figure]:
    sides = [(_alone(embedded), embedded.target | {"token": token})]
    sides += [(each.target(), await each.publisher()) for each in meshes]

    def load(target: dict[str, Any], publisher: dict[str, Any]) -> Callable[[], Any]:
        job = {"subscribers": SUBSCRIBERS, "per_second": PER_SECOND, "scope": "global"}
        return lambda: bench.load(
            "fan_out", target=target, publisher=publisher, seconds=bench.seconds / 2, **job
        )

    floor, *found = await bench.in_turn(*(load(*side) for side in sides))
    to = f"fan-out to {SUBSCRIBERS}"
    return [
        *_curve(to, "events/s", found, floor, lambda it: it["events_per_s"]),
        *_curve(f"{to}, p99", "ms", found, floor, lambda it: it["p99_s"] * 1000),
        *_cpu("an event delivered", "us", "parts_us", found, floor),
    ]


def _alone(embedded: Antiphon) -> dict[str, Any]:
    return embedded.target | {"parts": {"servers": [embedded.server.pid]}}


def _curve(
    name: str,
    unit: str,
    found: Sequence[Results],
    floor: Results | None,
    value: Callable[[dict[str, Any]], float],
) -> list[Figure]:
    """A point for each number of servers, beside the one that is its own store."""
    floors = [value(it) for it in floor or ()]
    return [
        point(f"replicas: {name}", unit, count, [value(it) for it in results], floors)
        for count, results in zip(COUNTS, found, strict=True)
    ]


def _cpu(what: str, unit: str, key: str, found: Sequence[Results], floor: Results) -> list[Figure]:
    """What each part uses for one, and all of them."""
    figures = []
    for part in PARTS:
        value = partial(lambda it, of: it[key][of], of=part)
        figures += _curve(f"CPU of {part}, {what}", f"CPU {unit}", found, None, value)
    whole = _curve(
        f"CPU of all, {what}", f"CPU {unit}", found, floor, lambda it: sum(it[key].values())
    )
    return [*figures, *whole]


async def _first_tokens(bench: Bench, two: Mesh) -> list[Figure]:
    """The same posts, to the server that has the conversation's lane, and to the other one."""
    owner, other = (two.target(server.address) for server in two.servers)

    def load(target: dict[str, Any]) -> Callable[[], Any]:
        job = {"clients": TURNS, "seconds": bench.seconds, "owner": owner}
        return lambda: bench.load("first_token", target=target, **job)

    here, forwarded = await bench.in_turn(load(owner), load(other))
    return [
        paired(
            f"replicas: first token where the lane is elsewhere, p{percent}",
            "ms",
            in_ms(forwarded, "first_s", percent),
            in_ms(here, "first_s", percent),
        )
        for percent in (50, 99)
    ]
