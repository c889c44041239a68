"""SIGTERM with 200 streams open: how soon the server ends, and all of them go on with the next."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
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
SCENARIO = Scenario("drained", ("drain",), {"writer": 3, "talker": 2}, scenes=1)


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

    def __init__(self, here: Stage) -> None:
        self._here = here
        self.back: dict[int, float] = {}

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """All of them, for the block's time."""
        async with AsyncExitStack() as stack:
            tasks = [
                asyncio.create_task(self._read(await self._client(stack, number), number))
                for number in range(STREAMS)
            ]
            try:
                await self.all_since(0.0)
                yield
            finally:
                for task in tasks:
                    task.cancel()
                outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for failure in outcomes:
            if isinstance(failure, Exception):
                raise failure

    async def all_since(self, then: float) -> None:
        """Wait until all have come since then."""

        def came() -> bool:
            return sum(at > then for at in self.back.values()) == STREAMS

        await until(came, GIVEN_UP_S)

    async def _client(self, stack: AsyncExitStack, number: int) -> Client:
        (server,) = self._here.servers
        client = Client.connect(server.address, server.key, on_connection=self._note(number))
        return await stack.enter_async_context(client)

    def _note(self, number: int) -> Callable[[Connection], None]:
        def note(connection: Connection) -> None:
            if connection.state == "connected":
                self.back[number] = time.monotonic()

        return note

    async def _read(self, client: Client, number: int) -> None:
        (scene,) = self._here.scenes
        reader = scene.history.reader(f"stream {number}", lasts=True)
        await follow(client, scene.conversation_id, reader)


async def drain_rounds(home: Path, rounds: int, seed: str) -> Drained:
    """The server is told to stop that often, and started again, under writers and 200 streams."""
    drained = Drained(Outcome(SCENARIO.name, seed))
    async with stage(home, seed) as here:
        for number in range(rounds):
            here.seed = f"{seed}-{number}"
            drained.outcome.add(await act(here, SCENARIO, lambda it: _round(it, drained)))
        await close(here, drained.outcome)
    return drained


async def _round(here: Stage, drained: Drained) -> None:
    streams = _Streams(here)
    async with streams.reading():
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
        await _seen_to_the_end(here)


async def _seen_to_the_end(here: Stage) -> None:
    """Wait until every stream has seen what there is now; the others go on."""
    async with here.sure() as client:
        (scene,) = here.scenes
        head = (await client.get_head(scene.scope)).last_offset
    readers = [reader for reader in scene.history.readers if reader.lasts]
    await until(lambda: all(reader.end >= head for reader in readers), GIVEN_UP_S)
    for reader in readers:
        reader.lasts = False
