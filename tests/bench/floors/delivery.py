"""Post to delivery with nothing between: a unary call that writes to every open stream."""

import asyncio
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest, PostMessageResponse
from antiphon.context.v1.message_pb2 import Message
from antiphon.events.v1.event_pb2 import Event, MessagePosted
from antiphon.events.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse
from antiphon.events.v1.stream_pb2 import EventBatch, WatchCreated
from tests.bench.floors.bare import add_methods


class _Streams:
    """Everybody who subscribes gets everything."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Queue[SubscribeResponse]] = set()

    async def post(self, request: PostMessageRequest, context: Any) -> PostMessageResponse:
        message = Message(conversation_id=request.conversation_id, parts=request.parts)
        event = Event(message_posted=MessagePosted(message=message))
        for queue in self._waiting:
            queue.put_nowait(SubscribeResponse(batch=EventBatch(events=[event])))
        return PostMessageResponse(message=message)

    async def subscribe(self, requests: Any, context: Any) -> None:
        watch = (await context.read()).create
        queue: asyncio.Queue[SubscribeResponse] = asyncio.Queue()
        self._waiting.add(queue)
        try:
            await context.write(SubscribeResponse(created=WatchCreated(watch_id=watch.watch_id)))
            while True:
                await context.write(await queue.get())
        finally:
            self._waiting.discard(queue)


def add(server: grpc.aio.Server) -> None:
    """Serve ContextService.PostMessage and EventService.Subscribe."""
    streams = _Streams()
    post = grpc.unary_unary_rpc_method_handler(
        streams.post, PostMessageRequest.FromString, PostMessageResponse.SerializeToString
    )
    subscribe = grpc.stream_stream_rpc_method_handler(
        streams.subscribe, SubscribeRequest.FromString, SubscribeResponse.SerializeToString
    )
    add_methods(server, "antiphon.context.v1.ContextService", PostMessage=post)
    add_methods(server, "antiphon.events.v1.EventService", Subscribe=subscribe)
