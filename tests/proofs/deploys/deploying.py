"""A worker of each version says hello, and goes when the next one is there."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from antiphon.dispatcher.v1 import worker_pb2
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.workers.bare import BareWorker, introduced, token_of
from tests.workers.processes import invited

COMPARED = 50
GONE_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Deployed:
    """What it took: times of registrations in s, and until none but the newest was left."""

    took_s: Sequence[float]
    gone_after_s: float
    left: Sequence[str]

    @property
    def first_ms(self) -> float:
        """The median of the first ones."""
        return statistics.median(self.took_s[:COMPARED]) * 1000

    @property
    def last_ms(self) -> float:
        """The median of the last ones."""
        return statistics.median(self.took_s[-COMPARED:]) * 1000


async def deploy(server: ServerProcess, many: int, gap_s: float = 0.0) -> Deployed:
    """Deploy so many, each beside the one before, which goes then; the last one stays."""
    key = await invited(server, "counter")
    took: list[float] = []
    async with grpc.aio.insecure_channel(server.address) as channel, server.client() as client:
        token = await token_of(channel, key)
        before: BareWorker | None = None
        for at in range(many):
            began = time.monotonic()
            worker = BareWorker(channel, token)
            await worker.welcomed(introduced("counter", deployment="counter", version=f"v{at}"))
            took.append(time.monotonic() - began)
            if before is not None:
                before.stream.cancel()
            before = worker
            await asyncio.sleep(gap_s)
        assert before is not None
        ended = time.monotonic()
        left = await _left(client, before, ended)
        gone_after_s = time.monotonic() - ended
        before.stream.cancel()
    return Deployed(took, gone_after_s, left)


async def _left(client: Client, worker: BareWorker, since: float) -> list[str]:
    """The versions that are listed when there is one, or time is over."""
    while True:
        await worker.say(heartbeat=worker_pb2.Heartbeat())
        found = [it async for it in client.list_deployments("global")]
        left = [version.version for it in found for version in it.versions]
        if len(left) == 1 or time.monotonic() - since > GONE_WITHIN_S:
            return left
        await asyncio.sleep(1)
