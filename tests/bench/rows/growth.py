"""How latency grows with ten times the conversations, and with ten times the history."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc

from antiphon.context.v1.context_service_pb2 import CreateConversationRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon_server.events.model import Scope
from tests.bench.antiphon import Antiphon
from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_most, median, paired
from tests.bench.loads.client import Target
from tests.bench.rows.resume import fill

WALKED = 10
AT_ONCE = 32
# 104 tokens by the server's estimate: 40 fill the context, so every history does.
TEXT = "word " * 80


@dataclass(frozen=True, slots=True)
class _World:
    server: Antiphon
    walked: list[str]


async def growth(bench: Bench) -> list[Figure]:
    """A walk is: post, list messages, list conversations, and a whole turn."""
    conversations, history = (50, 60) if bench.quick else (300, 100)
    async with (
        _world(bench, conversations, history) as base,
        _world(bench, conversations * 10, history) as wide,
        _world(bench, conversations, history * 10) as deep,
    ):
        took: dict[int, list[float]] = {0: [], 1: [], 2: []}
        for _ in range(bench.rounds):
            for at, world in enumerate((base, wide, deep)):
                took[at].append(await _walk(bench, world))
    least, wider, deeper = ([seconds * 1000 for seconds in took[at]] for at in range(3))
    return [
        paired("walk, 10x conversations", "ms", wider, least, at_most(1.2)),
        paired("walk, 10x history", "ms", deeper, least, at_most(1.2)),
    ]


@asynccontextmanager
async def _world(bench: Bench, conversations: int, history: int) -> AsyncIterator[_World]:
    data_dir = bench.fresh() / "data"
    walked = [f"conv_{secrets.token_hex(8)}" for _ in range(WALKED)]
    for name in walked:
        await fill(data_dir, Scope(f"conversations/{name}"), history, TEXT)
    async with bench.antiphon(data_dir) as server:
        others = [""] * (conversations - WALKED)
        await _create(Target(**server.target), [*others, *walked])
        yield _World(server, walked)


async def _create(target: Target, names: list[str]) -> None:
    async with target.channel() as channel:
        for first in range(0, len(names), AT_ONCE):
            await asyncio.gather(
                *(_create_one(channel, target, name) for name in names[first : first + AT_ONCE])
            )


async def _create_one(channel: grpc.aio.Channel, target: Target, name: str) -> None:
    request = CreateConversationRequest(conversation_id=name)
    await ContextServiceStub(channel).CreateConversation(request, metadata=target.metadata)


async def _walk(bench: Bench, world: _World) -> float:
    rounds = 4 if bench.quick else 10
    result = await bench.load(
        "walk", target=world.server.target, conversations=world.walked, rounds=rounds
    )
    return median(result["took_s"])
