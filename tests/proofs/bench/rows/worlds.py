"""Servers on data of different sizes, and one client's walk on each of them in turn."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from antiphon_server.events.model import Scope
from tests.proofs.bench.antiphon import Antiphon
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.bulk import copy_conversation, fill_log
from tests.proofs.bench.figures import median
from tests.proofs.bench.loads.client import Target

STEPS = ("post", "list messages", "list conversations", "open a watch", "turn", "walk")
# 104 tokens by the server's estimate: 40 fill the context, so every history of them does.
LONG = "word " * 80


@dataclass(frozen=True, slots=True)
class World:
    """A server that runs, and the conversations in it that are walked through."""

    server: Antiphon
    walked: list[str]


@asynccontextmanager
async def world(
    bench: Bench, conversations: int, histories: Sequence[int], text: str = LONG
) -> AsyncIterator[World]:
    """One with so many conversations, of which those walked through have these histories."""
    data_dir = bench.fresh() / "data"
    async with bench.antiphon(data_dir) as server:
        target = Target(**server.target)
        async with target.channel() as channel:
            walked = [await target.conversation(channel) for _ in histories]
    await copy_conversation(data_dir, walked[0], conversations - len(walked))
    for name, events in zip(walked, histories, strict=True):
        await fill_log(data_dir, Scope(f"conversations/{name}"), events, text)
    async with bench.antiphon(data_dir) as server:
        await bench.load("walk", target=server.target, conversations=walked, rounds=0)
        yield World(server, walked)


async def walk(bench: Bench, it: World, walked: Sequence[str] = ()) -> dict[str, float]:
    """The median of each step, in milliseconds."""
    job = {"target": it.server.target, "conversations": list(walked or it.walked)}
    # A lone conversation is walked as often as ten are together.
    rounds = (4 if bench.quick else 10) * 10 // len(job["conversations"])
    result = await bench.load("walk", **job, rounds=rounds)
    return {step: median(result[step]) * 1000 for step in STEPS}
