"""One client that does what people do: post, look at messages and conversations, watch, ask."""

import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import (
    ListConversationsRequest,
    ListMessagesRequest,
    PostMessageRequest,
)
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest, DispatchRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1.stream_pb2 import CancelWatch, Watch
from tests.proofs.bench.loads.client import Target, channels

TIMEOUT_S = 200.0
"""The first look at a long history that was filled from outside reads all of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """Walk through ``conversations``, ``rounds`` times, after ``warm`` that do not count."""

    target: dict[str, Any]
    conversations: list[str]
    rounds: int
    warm: int = 1


@dataclass(slots=True)
class _Steps:
    """How long each step took, in seconds."""

    took_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def step(self, name: str) -> Any:
        """Time the block."""
        begun = time.perf_counter()
        yield
        self.took_s[name].append(time.perf_counter() - begun)


async def run(job: Job) -> dict[str, Any]:
    """Returns the seconds that each step took, by its name, and those of the whole walks."""
    target = Target(**job.target)
    steps = _Steps()
    async with channels(target, 1) as (channel,):
        call = DispatcherServiceStub(channel).Converse(metadata=target.metadata)
        context = ContextServiceStub(channel)
        for round_ in range(job.warm + job.rounds):
            if round_ == job.warm:
                steps = _Steps()
            for conversation in job.conversations:
                with steps.step("walk"):
                    await _look(context, target, conversation, steps)
                    await _turn(call, conversation, steps)
    return steps.took_s


async def _look(context: Any, target: Target, conversation: str, steps: _Steps) -> None:
    post = PostMessageRequest(conversation_id=conversation, parts=[Part(text="word " * 8)])
    messages = ListMessagesRequest(conversation_id=conversation, page_size=20)
    conversations = ListConversationsRequest(page_size=20)
    asked = {"metadata": target.metadata, "timeout": TIMEOUT_S}
    with steps.step("post"):
        await context.PostMessage(post, **asked)
    with steps.step("list messages"):
        await context.ListMessages(messages, **asked)
    with steps.step("list conversations"):
        await context.ListConversations(conversations, **asked)


async def _turn(call: Any, conversation: str, steps: _Steps) -> None:
    async with _watching(call, conversation, steps):
        post = DispatchRequest(conversation_id=conversation, turn_id=f"turn_{secrets.token_hex(8)}")
        post.parts.append(Part(text="say it"))
        with steps.step("turn"):
            await call.write(ConverseRequest(post=post))
            while not any(it.HasField("turn_finished") for it in (await _read(call)).batch.events):
                pass


@asynccontextmanager
async def _watching(call: Any, conversation: str, steps: _Steps) -> AsyncIterator[None]:
    watch = Watch(watch_id=secrets.token_hex(4), scope=f"conversations/{conversation}")
    with steps.step("open a watch"):
        await call.write(ConverseRequest(subscribe=watch))
        while not (await _read(call)).HasField("created"):
            pass
    yield
    await call.write(ConverseRequest(unsubscribe=CancelWatch(watch_id=watch.watch_id)))
    while not (await call.read()).HasField("ended"):
        pass


async def _read(call: Any) -> Any:
    frame = await call.read()
    if frame is grpc.aio.EOF or frame.HasField("error") or frame.HasField("ended"):
        raise RuntimeError(f"the stream failed: {frame}")
    return frame
