"""A client that is a million events behind, beside a bare server that has them in memory."""

from antiphon_server.events.model import Scope
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.bulk import fill_log
from tests.proofs.bench.figures import Figure, at_least, paired
from tests.proofs.bench.rows.sides import of

SCOPE = Scope("global")


async def resume(bench: Bench) -> list[Figure]:
    """One Subscribe from the earliest position; every event is decoded and checked."""
    events = 100_000 if bench.quick else 1_000_000
    data_dir = bench.fresh() / "data"
    await fill_log(data_dir, SCOPE, events)
    async with bench.floor(f"ring={events}") as floor, bench.antiphon(data_dir) as ours:
        bare, measured = await bench.in_turn(
            lambda: bench.load("resume", target=floor.target, scope=SCOPE, events=events),
            lambda: bench.load("resume", target=ours.target, scope=SCOPE, events=events),
        )
    return [
        paired(
            f"resume, {events:,} events behind",
            "events/s",
            of(measured, "events_per_s"),
            of(bare, "events_per_s"),
            at_least(100_000, of_floor=False),
        )
    ]
