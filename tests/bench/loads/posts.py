"""Clients that post messages without turns, each after the answer to the one before."""

import time
from dataclasses import dataclass
from typing import Any

from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from tests.bench.loads.client import Target, Window, channels


@dataclass(frozen=True, slots=True)
class Job:
    """``clients`` at once for ``seconds``, each in a conversation of its own."""

    target: dict[str, Any]
    clients: int
    seconds: float


async def run(job: Job) -> dict[str, Any]:
    """Returns posts a second."""
    target = Target(**job.target)
    window = Window(target, job.seconds)
    posted = 0

    async with channels(target, job.clients) as connections:

        async def client(at: int) -> Any:
            stub = ContextServiceStub(connections[at])
            request = PostMessageRequest(
                conversation_id=await target.conversation(connections[at]),
                parts=[Part(text="word " * 8)],
            )

            async def post() -> None:
                nonlocal posted
                await stub.PostMessage(request, metadata=target.metadata)
                posted += window.counts(time.perf_counter())

            return post

        await window.run([await client(at) for at in range(job.clients)])
    return {"posts_per_s": posted / job.seconds, "cpu_share": window.cpu_s / job.seconds}
