"""One client posts a message, one subscriber waits for it; then the next."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.events.v1.event_service_pb2 import SubscribeRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import Watch
from tests.proofs.bench.loads.client import Target, Window, channels


@dataclass(frozen=True, slots=True)
class Job:
    """One poster and one subscriber, on a connection each, for ``seconds``."""

    target: dict[str, Any]
    seconds: float


async def run(job: Job) -> dict[str, Any]:
    """Returns the seconds from the beginning of each post to its delivery."""
    target = Target(**job.target)
    window = Window(target, job.seconds)
    took: list[float] = []
    async with channels(target, 2) as (posting, following):
        conversation = await target.conversation(posting)
        stub = ContextServiceStub(posting)
        call = EventServiceStub(following).Subscribe(metadata=target.metadata)
        watch = Watch(watch_id="w", scope=f"conversations/{conversation}")
        await call.write(SubscribeRequest(create=watch))
        await call.read()
        request = PostMessageRequest(conversation_id=conversation, parts=[Part(text="word " * 8)])

        async def deliver() -> None:
            begun = time.perf_counter()
            post = asyncio.ensure_future(_posted(stub, request, target))
            frame: Any = await call.read()
            while frame is not grpc.aio.EOF and not frame.batch.events:
                frame = await call.read()
            if frame is grpc.aio.EOF:
                raise RuntimeError("the stream ended")
            if window.counts(begun):
                took.append(time.perf_counter() - begun)
            await post

        await window.run([deliver])
    return {"took_s": took}


async def _posted(stub: Any, request: PostMessageRequest, target: Target) -> None:
    await stub.PostMessage(request, metadata=target.metadata)
