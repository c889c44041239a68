"""A model fails, is left alone, and comes back: what its endpoint is asked meanwhile.

First turns come one by one until its breaker is open. When it is half open, a thousand race, and
the endpoint lets whoever comes wait until all others are answered by the second model.
"""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.integration.v1.model_pb2 import BreakerState
from antiphon_client import Client
from antiphon_server.runtime.concurrency.breaker import USUAL
from tests.e2e.server import ONE_FOR_MANY, ServerProcess, openai_model
from tests.e2e.until import until, until_it
from tests.proofs.weather.endpoint import StormyEndpoint
from tests.proofs.weather.turns import Asking, asking

FIRST, SECOND, WAY = "first/x", "second/x", "refuses"
SINGLE = 20


@dataclass(slots=True)
class Recovery:
    """What came of it: requests until the breaker was open, of the racers, and until it closed."""

    racers: int
    opened_by: int = 0
    opened_in_turns: int = 0
    asked_while_open: int = 0
    probes: int = 0
    racing_s: float = 0.0
    passed_over: int = 0
    closed_ms: float = 0.0
    closed_by: int = 0
    back: int = 0
    defects: list[str] = field(default_factory=list)

    @property
    def most_probes(self) -> int:
        """One, and one more whenever the one before has hung for so long."""
        return USUAL.probes * (1 + int(self.racing_s / USUAL.probe_s))

    @property
    def wrong(self) -> list[str]:
        """What broke a promise."""
        found = list(self.defects)
        if self.opened_by > USUAL.remembered:
            found.append(f"it was open after {self.opened_by} requests")
        if self.asked_while_open:
            found.append(f"it was asked {self.asked_while_open} times while it was left alone")
        if self.probes > self.most_probes:
            found.append(f"{self.probes} probes in {self.racing_s:.1f} s")
        if self.passed_over != self.racers - self.probes:
            found.append(f"{self.passed_over} of {self.racers} were answered by the second model")
        if self.closed_by > self.probes:
            found.append(f"it took {self.closed_by} requests to close")
        if self.back != SINGLE:
            found.append(f"{self.back} of {SINGLE} were answered by the first model at last")
        return found

    @property
    def line(self) -> str:
        """All of it in some lines."""
        return (
            f"open after {self.opened_by} requests ({self.opened_in_turns} turns), "
            f"{self.asked_while_open} while it was left alone; {self.racers} turns race for "
            f"{self.racing_s:.1f} s: {self.probes} requests, {self.passed_over} turns answered by "
            f"the second model; closed {self.closed_ms:.0f} ms after the endpoint answered"
        )

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        names = ("racers", "opened_by", "opened_in_turns", "probes", "racing_s", "closed_ms")
        return {
            "name": "recovery",
            **{name: getattr(self, name) for name in names},
            "violations": self.wrong,
        }


async def recovery_of(home: Path, racers: int) -> Recovery:
    """So many race."""
    came = Recovery(racers)
    async with StormyEndpoint() as endpoint:
        models = [
            openai_model(FIRST, endpoint.base_url, model=WAY),
            openai_model(SECOND, endpoint.base_url, max_calls=racers, max_wait_s=60),
        ]
        server = ServerProcess(home, models=models, variables=ONE_FOR_MANY)
        async with server, asking(server) as it, server.client() as client:
            await _fail(came, endpoint, it, client)
            await _race(came, endpoint, it, client)
        came.defects = [f"log: {line}" for line in server.defects]
    return came


async def _fail(came: Recovery, endpoint: StormyEndpoint, it: Asking, client: Client) -> None:
    while not await _is(client, BreakerState.BREAKER_STATE_OPEN):
        await it.turn([FIRST, SECOND])
        came.opened_in_turns += 1
    came.opened_by = endpoint.asked[WAY]
    for _ in range(SINGLE):
        turn = await it.turn([FIRST, SECOND])
        if (turn.model, turn.skipped) != (SECOND, [(FIRST, "MODEL_UNAVAILABLE")]):
            came.defects.append(f"{turn.model} has answered, and of others is told {turn.skipped}")
    came.asked_while_open = endpoint.asked[WAY] - came.opened_by


async def _race(came: Recovery, endpoint: StormyEndpoint, it: Asking, client: Client) -> None:
    await until_it(lambda: _is(client, BreakerState.BREAKER_STATE_HALF_OPEN))
    endpoint.held.add(WAY)
    endpoint.mended.add(WAY)
    asked, over, began = endpoint.asked[WAY], it.over, time.monotonic()
    racing = asyncio.create_task(it.turns(came.racers, [FIRST, SECOND]))
    await until(lambda: it.over >= over + came.racers - (endpoint.asked[WAY] - asked))
    came.probes, came.racing_s = endpoint.asked[WAY] - asked, time.monotonic() - began
    endpoint.let_go()
    came.closed_ms = 1000 * await until_it(lambda: _is(client, BreakerState.BREAKER_STATE_CLOSED))
    came.closed_by = endpoint.asked[WAY] - asked
    came.passed_over = sum(turn.model == SECOND for turn in await racing)
    came.back = sum([(await it.turn([FIRST, SECOND])).model == FIRST for _ in range(SINGLE)])


async def _is(client: Client, state: "BreakerState.ValueType") -> bool:
    return any([it.breaker == state async for it in client.list_models() if it.name == FIRST])
