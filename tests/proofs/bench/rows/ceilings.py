"""What the parts around the server can do alone, so that one sees that they are not measured."""

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, paired
from tests.proofs.bench.rows.sides import of

ROUNDS = 3


async def model_ceiling(bench: Bench, clients: int, deltas: int) -> Figure:
    """Answers a second of the fake endpoint to raw readers, with nothing between."""
    async with bench.model(deltas, 0) as model:
        results = [
            await bench.load(
                "model", url=model.line, pid=model.pid, clients=clients, seconds=bench.seconds
            )
            for _ in range(ROUNDS)
        ]
    return paired("the fake model alone", "turns/s", of(results, "answers_per_s"))


async def client_ceiling(bench: Bench, clients: int, deltas: int) -> Figure:
    """Turns a second of the load client on a server that only sends bytes."""
    async with bench.canned(deltas) as canned:
        target = {"address": canned.line, "pid": canned.pid}
        job = {"clients": clients, "seconds": bench.seconds, "deltas": deltas}
        results = [await bench.load("turns", target=target, **job) for _ in range(ROUNDS)]
    return paired("the load client alone", "turns/s", of(results, "turns_per_s"))
