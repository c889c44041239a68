"""One client posts on its Converse stream and waits for its message there; then the next."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest, DispatchRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1.stream_pb2 import Watch
from tests.proofs.bench.loads.client import Target, Window, channels


@dataclass(frozen=True, slots=True)
class Job:
    """One client for ``seconds``; the turn that a post starts is over before the next."""

    target: dict[str, Any]
    seconds: float


async def run(job: Job) -> dict[str, Any]:
    """Returns the seconds from the beginning of each post to the batch that holds it."""
    target = Target(**job.target)
    window = Window(target, job.seconds)
    took: list[float] = []
    async with channels(target, 1) as (channel,):
        conversation = await target.conversation(channel)
        call = DispatcherServiceStub(channel).Converse(metadata=target.metadata)
        watch = Watch(watch_id="w", scope=f"conversations/{conversation}")
        await call.write(ConverseRequest(subscribe=watch))

        async def turn() -> None:
            post = DispatchRequest(conversation_id=conversation, handler="echo")
            post.turn_id = f"turn_{secrets.token_hex(8)}"
            post.parts.append(Part(text="word " * 8))
            begun = time.perf_counter()
            await call.write(ConverseRequest(post=post))
            posted = await _until_finished(call, post.turn_id)
            if window.counts(begun):
                took.append(posted - begun)

        await window.run([turn])
    return {"took_s": took}


async def _until_finished(call: Any, turn_id: str) -> float:
    """When the turn's first message came."""
    posted = 0.0
    while True:
        frame: Any = await call.read()
        if frame is grpc.aio.EOF or frame.HasField("error") or frame.HasField("ended"):
            raise RuntimeError(f"the stream failed: {frame}")
        events = [event for event in frame.batch.events if event.turn_id == turn_id]
        if not posted and any(event.HasField("message_posted") for event in events):
            posted = time.perf_counter()
        if any(event.HasField("turn_finished") for event in events):
            return posted
