"""What guards a call of a model, in µs of processor time: its breaker, and all around it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon_server.integration.models.adapters.scripted import ScriptedModel
from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.settings import model_named
from antiphon_server.runtime.concurrency.breaker import Breaker, BreakerOpen, Limits

MOST_US = 2.0
TIMES = 9
"""The shortest counts: what else the machine does makes it longer, and nothing makes it shorter."""


@dataclass(slots=True)
class Cost:
    """What each costs a call that is answered."""

    us: dict[str, float] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        """What costs too much; the promise is that of the breaker."""
        took = self.us["a breaker"]
        return [f"a breaker takes {took:.2f} µs"] if took > MOST_US else []

    @property
    def line(self) -> str:
        """All of it in a line."""
        return "; ".join(f"{what} {us:.2f} µs" for what, us in self.us.items())

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        return {"name": "cost", "us": self.us, "violations": self.wrong}


async def cost_of(_home: Path, calls: int) -> Cost:
    """By so many calls each."""
    settings = model_named("scripted/echo")
    model = ConfiguredModel(settings, ScriptedModel(settings))
    breaker = Breaker(Limits(slow_s=60.0))
    cost = Cost()
    cost.us["a breaker"] = await _shortest(calls, lambda: _broken(breaker, calls))
    open_breaker = Breaker()
    open_breaker.open()
    cost.us["one that is open"] = await _shortest(calls, lambda: _refused(open_breaker, calls))
    cost.us["breaker and places"] = await _shortest(calls, lambda: _guarded(model, calls))
    return cost


async def _broken(breaker: Breaker, calls: int) -> None:
    for _ in range(calls):
        with breaker.passing() as passage:
            passage.answers()
            passage.failed = False


async def _refused(breaker: Breaker, calls: int) -> None:
    for _ in range(calls):
        try:
            breaker.check()
        except BreakerOpen:
            continue


async def _guarded(model: ConfiguredModel, calls: int) -> None:
    for _ in range(calls):
        async with model.call() as passage:
            passage.answers()
            passage.failed = False


async def _shortest(calls: int, run: Callable[[], Any]) -> float:
    """µs a call."""
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        await run()
        took.append(time.process_time() - began)
        await asyncio.sleep(0)
    return round(1e6 * min(took) / calls, 3)
