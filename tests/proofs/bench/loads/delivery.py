"""From a post to its delivery, one at a time: on another stream, on its own, or as a bare echo."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest, DispatchRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1.event_service_pb2 import SubscribeRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import Watch
from tests.proofs.bench.loads.client import Target, Window, channels

TEXT = "word " * 8
Deliver = Callable[[], Awaitable[float]]
"""Posts, and waits until it is over; gives when it was delivered."""


@dataclass(frozen=True, slots=True)
class Job:
    """One client for ``seconds``; ``way`` is one of those below."""

    target: dict[str, Any]
    seconds: float
    way: str


async def run(job: Job) -> dict[str, Any]:
    """Returns the seconds from the beginning of each post to its delivery."""
    target = Target(**job.target)
    window = Window(target, job.seconds)
    took: list[float] = []
    async with channels(target, 2) as (posting, following):
        deliver = await _WAYS[job.way](target, posting, following)

        async def timed() -> None:
            begun = time.perf_counter()
            arrived = await deliver()
            if window.counts(begun):
                took.append(arrived - begun)

        await window.run([timed])
    return {"took_s": took}


async def _by_echo(
    target: Target, posting: grpc.aio.Channel, following: grpc.aio.Channel
) -> Deliver:
    """A message on a bare bidirectional stream."""
    call = DispatcherServiceStub(posting).Converse()
    post = DispatchRequest(conversation_id="conv_0123456789abcdef", parts=[Part(text=TEXT)])

    async def deliver() -> float:
        await call.write(ConverseRequest(tag="t", post=post))
        await call.read()
        return time.perf_counter()

    return deliver


async def _to_another(
    target: Target, posting: grpc.aio.Channel, following: grpc.aio.Channel
) -> Deliver:
    """A message, for which a subscriber waits on another connection."""
    conversation = await target.conversation(posting)
    stub = ContextServiceStub(posting)
    call = EventServiceStub(following).Subscribe(metadata=target.metadata)
    watch = Watch(watch_id="w", scope=f"conversations/{conversation}")
    await call.write(SubscribeRequest(create=watch))
    await call.read()
    request = PostMessageRequest(conversation_id=conversation, parts=[Part(text=TEXT)])

    async def post() -> None:
        await stub.PostMessage(request, metadata=target.metadata)

    async def deliver() -> float:
        posted = asyncio.ensure_future(post())
        while not (await _read(call)).batch.events:
            pass
        arrived = time.perf_counter()
        await posted
        return arrived

    return deliver


async def _on_its_own(
    target: Target, posting: grpc.aio.Channel, following: grpc.aio.Channel
) -> Deliver:
    """A post on a Converse stream, whose message comes there; the turn is over before the next."""
    conversation = await target.conversation(posting)
    call = DispatcherServiceStub(posting).Converse(metadata=target.metadata)
    watch = Watch(watch_id="w", scope=f"conversations/{conversation}")
    await call.write(ConverseRequest(subscribe=watch))

    async def deliver() -> float:
        post = DispatchRequest(conversation_id=conversation, handler="echo")
        post.turn_id = f"turn_{secrets.token_hex(8)}"
        post.parts.append(Part(text=TEXT))
        await call.write(ConverseRequest(post=post))
        arrived = 0.0
        while True:
            events = [it for it in (await _read(call)).batch.events if it.turn_id == post.turn_id]
            if not arrived and any(event.HasField("message_posted") for event in events):
                arrived = time.perf_counter()
            if any(event.HasField("turn_finished") for event in events):
                return arrived

    return deliver


async def _read(call: Any) -> Any:
    frame = await call.read()
    if frame is grpc.aio.EOF or frame.WhichOneof("frame") in ("error", "ended"):
        raise RuntimeError(f"the stream failed: {frame}")
    return frame


_WAYS = {"echo": _by_echo, "another": _to_another, "own": _on_its_own}
