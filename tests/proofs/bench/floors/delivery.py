"""Post to delivery with nothing between: a unary call that writes to the open streams."""

import asyncio
from collections import defaultdict
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest, PostMessageResponse
from antiphon.context.v1.message_pb2 import Message
from antiphon.events.v1.event_pb2 import Event, MessagePosted
from antiphon.events.v1.event_service_pb2 import FollowRequest, SubscribeRequest, SubscribeResponse
from antiphon.events.v1.stream_pb2 import EventBatch, Watch, WatchCreated
from tests.proofs.bench.floors.bare import add_methods


class _Streams:
    """Who waits for what is posted in a conversation, by its scope."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Queue[SubscribeResponse]]] = defaultdict(set)

    async def post(self, request: PostMessageRequest, context: Any) -> PostMessageResponse:
        message = Message(conversation_id=request.conversation_id, parts=request.parts)
        event = Event(message_posted=MessagePosted(message=message))
        for queue in self._waiting[f"conversations/{request.conversation_id}"]:
            queue.put_nowait(SubscribeResponse(batch=EventBatch(events=[event])))
        return PostMessageResponse(message=message)

    async def subscribe(self, requests: Any, context: Any) -> None:
        await self._send((await context.read()).create, context)

    async def follow(self, request: FollowRequest, context: Any) -> None:
        """The same frames, asked for at once."""
        await self._send(request.watches[0], context)

    async def _send(self, watch: Watch, context: Any) -> None:
        queue: asyncio.Queue[SubscribeResponse] = asyncio.Queue()
        self._waiting[watch.scope].add(queue)
        try:
            await context.write(SubscribeResponse(created=WatchCreated(watch_id=watch.watch_id)))
            while True:
                await context.write(await queue.get())
        finally:
            self._waiting[watch.scope].discard(queue)


def add(server: grpc.aio.Server, _: str = "") -> None:
    """Serve ContextService.PostMessage, and EventService.Subscribe and Follow."""
    streams = _Streams()
    post = grpc.unary_unary_rpc_method_handler(
        streams.post, PostMessageRequest.FromString, PostMessageResponse.SerializeToString
    )
    subscribe = grpc.stream_stream_rpc_method_handler(
        streams.subscribe, SubscribeRequest.FromString, SubscribeResponse.SerializeToString
    )
    follow: Any = grpc.unary_stream_rpc_method_handler(
        streams.follow, FollowRequest.FromString, SubscribeResponse.SerializeToString
    )
    add_methods(server, "antiphon.context.v1.ContextService", PostMessage=post)
    add_methods(server, "antiphon.events.v1.EventService", Subscribe=subscribe, Follow=follow)
