"""One client that does what people do: post, ask, look at the messages and conversations."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

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
from tests.bench.loads.client import Target, channels


@dataclass(frozen=True, slots=True)
class Job:
    """Walk through ``conversations``, ``rounds`` times, after one that does not count."""

    target: dict[str, Any]
    conversations: list[str]
    rounds: int


async def run(job: Job) -> dict[str, Any]:
    """Returns the seconds that each walk took."""
    target = Target(**job.target)
    async with channels(target, 1) as (channel,):
        call = DispatcherServiceStub(channel).Converse(metadata=target.metadata)
        context = ContextServiceStub(channel)
        took = []
        for _ in range(job.rounds + 1):
            for conversation in job.conversations:
                begun = time.perf_counter()
                await _look(context, target, conversation)
                await _turn(call, conversation)
                took.append(time.perf_counter() - begun)
        return {"took_s": took[len(job.conversations) :]}


async def _look(context: Any, target: Target, conversation: str) -> None:
    post = PostMessageRequest(conversation_id=conversation, parts=[Part(text="word " * 8)])
    await context.PostMessage(post, metadata=target.metadata)
    messages = ListMessagesRequest(conversation_id=conversation, page_size=20)
    await context.ListMessages(messages, metadata=target.metadata)
    await context.ListConversations(
        ListConversationsRequest(page_size=20), metadata=target.metadata
    )


async def _turn(call: Any, conversation: str) -> None:
    watch = Watch(watch_id=secrets.token_hex(4), scope=f"conversations/{conversation}")
    await call.write(ConverseRequest(subscribe=watch))
    post = DispatchRequest(conversation_id=conversation, turn_id=f"turn_{secrets.token_hex(8)}")
    post.parts.append(Part(text="say it"))
    await call.write(ConverseRequest(post=post))
    ended = False
    while not ended:
        frame = await call.read()
        if frame.HasField("error") or frame.HasField("ended"):
            raise RuntimeError(str(frame))
        ended = any(event.HasField("turn_finished") for event in frame.batch.events)
    await call.write(ConverseRequest(unsubscribe=CancelWatch(watch_id=watch.watch_id)))
    while not (await call.read()).HasField("ended"):
        pass
