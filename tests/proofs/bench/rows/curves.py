"""Growth curves: what a hundred or ten thousand times as much of one thing does to the rest."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, point
from tests.proofs.bench.rows.sides import in_ms, of, relay_and_server
from tests.proofs.bench.rows.worlds import walk, world

DELTAS = 20
HISTORY_STEPS = ("post", "list messages", "open a watch", "turn")
CONVERSATION_STEPS = ("post", "list conversations", "turn")
WALKED = 5
SHORT = "word " * 8


async def clients(bench: Bench) -> list[Figure]:
    """Turns a second and how long one takes, with 1 to 500 clients, beside the relay."""
    counts = (1, 10, 100) if bench.quick else (1, 5, 20, 50, 100, 200, 500)
    figures = []
    async with relay_and_server(_shorter(bench), DELTAS, gap_ms=0) as sides:
        for count in counts:
            # Many begin at once, and all of them must have ended some turns in the window.
            floor, ours = await sides.turns(count, at_least_s=count / 50)
            rates = of(ours, "turns_per_s"), of(floor, "turns_per_s")
            figures.append(point("clients: turns a second", "turns/s", count, *rates))
            for percent in (50, 99):
                took = in_ms(ours, "took_s", percent), in_ms(floor, "took_s", percent)
                figures.append(point(f"clients: a turn, p{percent}", "ms", count, *took))
    return figures


async def history(bench: Bench) -> list[Figure]:
    """One conversation each, of 100 to 1,000,000 messages, side by side on one server."""
    sizes = _decades(100, 10_000 if bench.quick else 1_000_000)
    brief = _shorter(bench)
    async with world(bench, len(sizes), sizes, text=SHORT) as it:
        took: list[list[dict[str, float]]] = [[] for _ in sizes]
        rates: list[list[float]] = [[] for _ in sizes]
        for _ in range(brief.rounds):
            for at, name in enumerate(it.walked):
                took[at].append(await walk(brief, it, [name]))
                scope = f"conversations/{name}"
                job = {"target": it.server.target, "scope": scope, "events": sizes[at]}
                rates[at].append((await bench.load("resume", **job))["events_per_s"])
    return [
        *_steps("history", HISTORY_STEPS, sizes, took),
        *(point("history: resume", "events/s", n, rates[at]) for at, n in enumerate(sizes)),
    ]


async def conversations(bench: Bench) -> list[Figure]:
    """Servers with 10 to 100,000 conversations of one user, side by side."""
    sizes = _decades(10, 1_000 if bench.quick else 100_000)
    async with AsyncExitStack() as stack:
        worlds = [
            await stack.enter_async_context(world(bench, size, [40] * WALKED)) for size in sizes
        ]
        took: list[list[dict[str, float]]] = [[] for _ in sizes]
        brief = _shorter(bench)
        for _ in range(brief.rounds):
            for at, it in enumerate(worlds):
                took[at].append(await walk(brief, it))
    return _steps("conversations", CONVERSATION_STEPS, sizes, took)


def _shorter(bench: Bench) -> Bench:
    """The points of a curve are many, and each is measured as a row is in a quick run."""
    return replace(bench, quick=True)


def _decades(first: int, last: int) -> list[int]:
    found = [first]
    while found[-1] < last:
        found.append(found[-1] * 10)
    return found


def _steps(
    of_what: str, steps: Iterable[str], sizes: list[int], took: list[list[dict[str, float]]]
) -> list[Figure]:
    return [
        point(f"{of_what}: {step}", "ms", size, [round_[step] for round_ in took[at]])
        for step in steps
        for at, size in enumerate(sizes)
    ]
