"""Resident memory per idle Subscribe stream, each on a conversation of its own."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import grpc

from antiphon.events.v1.event_service_pb2 import SubscribeRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import Watch
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, paired
from tests.proofs.bench.loads.client import Target, channels
from tests.proofs.bench.servers import Measured

BEFORE = 20
CONNECTIONS = 20
SETTLE_S = 1.0


async def idle_memory(bench: Bench) -> list[Figure]:
    """What each stream beyond the first 20 adds; a new server each round, for memory stays."""
    count = 400 if bench.quick else 900

    async def bare() -> float:
        async with bench.floor("ring") as floor:
            return await _per_stream(floor, Target(**floor.target), count)

    async def measured() -> float:
        async with bench.antiphon() as ours:
            return await _per_stream(ours.server, Target(**ours.target), count)

    floors, values = await bench.in_turn(bare, measured)
    target = at_most(30, of_floor=False)
    return [paired("memory per idle subscribed stream", "KB", values, floors, target)]


async def _per_stream(server: Measured, target: Target, count: int) -> float:
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(channels(target, CONNECTIONS))
        names = [await target.conversation(connections[0]) for _ in range(BEFORE + count)]
        # One on each connection: what a connection takes is not a stream's.
        calls = [
            await _subscribe(connections[at % CONNECTIONS], target, name)
            for at, name in enumerate(names[:BEFORE])
        ]
        await asyncio.sleep(SETTLE_S)
        before = server.resident_bytes
        for at, name in enumerate(names[BEFORE:]):
            calls.append(await _subscribe(connections[at % CONNECTIONS], target, name))
        await asyncio.sleep(SETTLE_S)
        return (server.resident_bytes - before) / count / 1000


async def _subscribe(channel: grpc.aio.Channel, target: Target, conversation: str) -> Any:
    call = EventServiceStub(channel).Subscribe(metadata=target.metadata)
    watch = Watch(watch_id="w", scope=f"conversations/{conversation}")
    await call.write(SubscribeRequest(create=watch))
    frame: Any = await call.read()
    if frame is grpc.aio.EOF or not frame.HasField("created"):
        raise RuntimeError(f"no watch: {frame}")
    return call
