"""Lean clients that post messages without turns, each after the answer to the one before."""

import time
from dataclasses import dataclass
from typing import Any

from antiphon.context.v1.context_service_pb2 import PostMessageRequest, PostMessageResponse
from antiphon.context.v1.message_pb2 import Part
from tests.proofs.bench.loads.client import Target, Window
from tests.proofs.bench.loads.http2 import Failed, connect

POST = "/antiphon.context.v1.ContextService/PostMessage"


@dataclass(frozen=True, slots=True)
class Job:
    """``clients`` at once for ``seconds``, each in a conversation of its own or all in one."""

    target: dict[str, Any]
    clients: int
    seconds: float
    together: bool = False


async def run(job: Job) -> dict[str, Any]:
    """Returns posts a second, and what server and client used for them."""
    target = Target(**job.target)
    window = Window(target, job.seconds)
    posted = 0

    async def client(conversation: str) -> Any:
        connection = await connect(target, POST)
        request = PostMessageRequest(conversation_id=conversation, parts=[Part(text="word " * 8)])
        body = request.SerializeToString()
        answers: list[bytes] = []

        async def post() -> None:
            nonlocal posted
            answers.clear()
            await connection.stream(answers.append, body).done
            message = PostMessageResponse.FromString(answers[0]).message
            if message.conversation_id != conversation:
                raise Failed(f"not the message: {message}")
            posted += window.counts(time.perf_counter())

        return post

    async with target.channel() as channel:
        count = 1 if job.together else job.clients
        names = [await target.conversation(channel) for _ in range(count)] * (job.clients // count)
    await window.run([await client(name) for name in names])
    return {
        "posts_per_s": posted / job.seconds,
        "cpu_ms_per_post": window.cpu_s / max(posted, 1) * 1000,
        "cpu_share": window.cpu_s / job.seconds,
        "client_cpu_share": window.client_cpu_s / job.seconds,
        "parts_ms": {part: s / max(posted, 1) * 1000 for part, s in window.parts_s.items()},
    }
