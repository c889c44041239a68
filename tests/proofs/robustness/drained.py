"""SIGTERM with 200 streams open: how soon the server ends, and all of them go on with the next."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon_client import Client
from antiphon_client.redial import Connection
from tests.e2e.until import until
from tests.proofs.robustness.scenario import Outcome, Scenario, act, close
from tests.proofs.robustness.stage import Stage, stage
from tests.proofs.robustness.traffic import follow

STREAMS = 200
RESUMED_S = 2.0
GIVEN_UP_S = 30.0
NAME = "drained"
PEOPLE = {"writer": 3, "talker": 2, "stream": STREAMS}


@dataclass(slots=True)
class Drained:
    """What came of it: how long the server took to end, each time, and each stream to be back."""

    outcome: Outcome
    exits_s: list[float] = field(default_factory=list)
    resumed_s: list[float] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """What broke a promise, or took too long."""
        late = sum(seconds > RESUMED_S for seconds in self.resumed_s)
        return [
            *self.outcome.wrong,
            *([f"{late} streams were back later than {RESUMED_S:.0f} s"] if late else []),
        ]

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        return {
            **self.outcome.as_json(),
            "streams": STREAMS,
            "exits_s": self.exits_s,
            "resumed_s": sorted(round(it, 3) for it in self.resumed_s),
            "violations": self.wrong,
        }

    @property
    def line(self) -> str:
        """All of it in a line."""
        return (
            f"drained: {len(self.exits_s)} times with {STREAMS} streams; ended after at most "
            f"{max(self.exits_s):.1f} s; back at most {max(self.resumed_s):.2f} s after SERVING; "
            f"{self.outcome.line}"
        )


class _Streams:
    """Many who follow, each by a client of their own; ``back`` is when each came the last time."""

    def __init__(self) -> None:
        self.back: dict[str, float] = {}

    async def read(self, here: Stage, name: str) -> None:
        """Follow from the beginning; nothing is between the client and the server."""
        [server], [scene] = here.servers, here.scenes

        def note(connection: Connection) -> None:
            if connection.state == "connected":
                self.back[name] = time.monotonic()

        async with Client.connect(server.address, server.key, on_connection=note) as client:
            await follow(client, scene.conversation_id, scene.history.reader(name, lasts=True))

    async def all_since(self, then: float) -> None:
        """Wait until all have come since then."""

        def came() -> bool:
            return sum(at > then for at in self.back.values()) == STREAMS

        await until(came, GIVEN_UP_S)


async def drain_rounds(home: Path, rounds: int, seed: str) -> Drained:
    """The server is told to stop that often, and started again, under writers and 200 streams."""
    drained = Drained(Outcome(NAME, seed))
    async with stage(home, seed) as here:
        for number in range(rounds):
            here.seed = f"{seed}-{number}"
            streams = _Streams()
            scenario = Scenario(NAME, (), PEOPLE, scenes=1, readers={"stream": streams.read})
            drained.outcome.add(await act(here, scenario, lambda it: _round(it, streams, drained)))  # noqa: B023
        await close(here, drained.outcome)
    return drained


async def _round(here: Stage, streams: _Streams, drained: Drained) -> None:
    await streams.all_since(0.0)
    await asyncio.sleep(here.chance("drain").uniform(0.5, 1.5))
    here.inflicted["drain"] += 1
    began = time.monotonic()
    (server,) = here.servers
    drained.exits_s.append(await here.end_life(server))
    await server.start()
    serving = time.monotonic()
    await streams.all_since(began)
    drained.resumed_s += [max(at - serving, 0.0) for at in streams.back.values()]
    await asyncio.sleep(0.5)
