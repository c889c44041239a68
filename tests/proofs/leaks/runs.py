"""The long runs: a load in pieces, and what the server holds after each."""

import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.server import openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.leaks.figures import Figures, Sample
from tests.proofs.leaks.heartbeats import FASTER, Heartbeats
from tests.proofs.leaks.probed import Probed
from tests.proofs.leaks.streams import Streams, conversations
from tests.proofs.leaks.turns import ENDPOINT, Turns

HOURS = 24
MOST_GROWN = 12


@dataclass(frozen=True, slots=True)
class Run:
    """How much, from which seed, and how it is measured."""

    count: int
    seed: int = 1
    pieces: int = 20
    warm: float = 0.2
    quiet_s: float = 60.0
    """How long the server may take to let go of what is over.

    Idle connections to models are kept for some seconds; gRPC's pool of threads grows where
    work waits, and a thread too many leaves when it has had nothing to do for a while.
    """
    noise: int = 400
    """How many blocks of Python's memory may come and go."""
    options: tuple[str, ...] = ()
    """More options of the server."""
    memray: Path | None = None


async def streams(home: Path, run: Run) -> Figures:
    """Open and cancel streams."""
    async with Probed(home, options=run.options, memray=run.memray) as server:
        names = await conversations(await server.target())
        return await _measure("streams", server, run, _pieces(Streams, server, names, run))


async def turns(home: Path, run: Run) -> Figures:
    """Post messages that are answered."""
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(FakeEndpoint(Behaviour(deltas=5)))
        models = [openai_model(ENDPOINT, endpoint.base_url)]
        server = Probed(home, models=models, options=run.options, memray=run.memray)
        await stack.enter_async_context(server)
        names = await conversations(await server.target(), max(min(250, run.count // 400), 8))
        return await _measure("turns", server, run, _pieces(Turns, server, names, run))


async def fresh(home: Path, run: Run) -> Figures:
    """Post one message that is answered in each of so many conversations."""
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(FakeEndpoint(Behaviour(deltas=5)))
        models = [openai_model(ENDPOINT, endpoint.base_url)]
        server = Probed(home, models=models, options=run.options, memray=run.memray)
        await stack.enter_async_context(server)
        chance = random.Random(run.seed)

        async def piece(count: int) -> int:
            target = await server.target()
            load = Turns(target, await conversations(target, count), chance, visit=1)
            await load.run(count)
            load.close()
            return count

        return await _measure("fresh conversations", server, run, piece)


def _pieces(
    load_of: type[Streams] | type[Turns], server: Probed, names: list[str], run: Run
) -> Callable[[int], Awaitable[int]]:
    chance = random.Random(run.seed)
    chance.shuffle(names)

    async def piece(count: int) -> int:
        load = load_of(await server.target(), names, chance)
        await load.run(count)
        load.close()
        return count

    return piece


async def heartbeats(home: Path, run: Run) -> Figures:
    """Let ``run.count`` simulated hours pass on idle streams; what counts are heartbeats."""
    async with Probed(home, faster=FASTER, options=run.options, memray=run.memray) as server:
        target = await server.target()
        load = Heartbeats(target, await conversations(target), server.token)
        await load.open()
        figures = await _measure("heartbeats", server, run, load.run)
        load.close()
        if load.wrong:
            raise RuntimeError(load.wrong[0])
        return figures


async def _measure(
    what: str, server: Probed, run: Run, piece: Callable[[int], Awaitable[int]]
) -> Figures:
    """Weigh the server after each piece, when it has become quiet."""
    each = max(run.count // run.pieces, 1)
    warm = max(round(run.pieces * run.warm), 1)
    samples: list[Sample] = []
    types: dict[str, int] = {}
    idle = await server.weigh()
    done, began = 0, time.monotonic()
    for number in range(1, warm + run.pieces + 1):
        done += await piece(each)
        is_edge = number in (warm, warm + run.pieces)
        weight = await server.quiet(idle, run.quiet_s if is_edge else 1.0)
        if is_edge:
            types = types or await server.types()
        if number >= warm:
            samples.append(Sample(done, weight))
        print(f"{done}: {weight.anonymous_mb:.1f} MB, {weight.blocks} blocks", flush=True)
    seconds = time.monotonic() - began
    grown = _grown(types, await server.types())
    return Figures(what, run.seed, seconds, idle, samples, grown, run.noise)


def _grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    grown = {name: count - before.get(name, 0) for name, count in after.items()}
    most = sorted(grown.items(), key=lambda item: -item[1])[:MOST_GROWN]
    return {name: count for name, count in most if count > 0}
