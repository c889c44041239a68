"""What the guard costs each connection: uv run python -m tests.proofs.bench.egress_cost."""

import asyncio
import statistics
import time

from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.runtime.egress.places import PUBLIC, Names

POLICY = EgressPolicy.allowing(["tools.lan", "*.apps.lan"], ["10.1.0.0/16", "192.168.7.0/24"])
ROUNDS, CALLS = 20, 1_000
MOST_US = 20.0


async def cost_us() -> float:
    """Microseconds of the checks of one connect, the median of rounds: the URL, the name, two
    addresses; without the look-up, which is made anyway.
    """
    names = Names(tools_example=[[PUBLIC, "2606:4700::1111"]])
    dialler, rounds = Dialler(POLICY, names), []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            await dialler.vetted(place_of("https://tools.example/x").host, 443)
        rounds.append((time.perf_counter() - began) / CALLS * 1e6)
    return statistics.median(rounds)


if __name__ == "__main__":
    print(f"egress: {asyncio.run(cost_us()):.1f} us a connect, at most {MOST_US:.0f}")
