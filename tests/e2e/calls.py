"""Unary calls of one caller, without a client between."""

from typing import Any

import grpc

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1 import context_service_pb2 as context_pb
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher_pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1 import event_service_pb2 as events_pb
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from tests.e2e.callers import Caller


class Calls:
    """What a caller says about one conversation: call it with a stub's method and a request."""

    def __init__(self, channel: grpc.aio.Channel, caller: Caller, conversation_id: str) -> None:
        self.channel = channel
        self.caller = caller
        self.conversation_id = conversation_id
        self.scope = f"conversations/{conversation_id}"
        self.context = ContextServiceStub(channel)
        self.dispatcher = DispatcherServiceStub(channel)
        self.events = EventServiceStub(channel)
        self.auth = AuthServiceStub(channel)

    async def __call__(self, method: Any, request: Any) -> Any:
        """The answer. Raises AioRpcError."""
        return await method(request, metadata=self.caller.metadata, timeout=10)

    async def head(self) -> events_pb.GetHeadResponse:
        """The end of the conversation's log."""
        request = events_pb.GetHeadRequest(scope=self.scope)
        head: events_pb.GetHeadResponse = await self(self.events.GetHead, request)
        return head

    def post(self, *texts: str, request_id: str = "") -> context_pb.PostMessageRequest:
        """A message for PostMessage."""
        return context_pb.PostMessageRequest(
            conversation_id=self.conversation_id,
            parts=[Part(text=text) for text in texts],
            request_id=request_id,
        )

    def dispatch(self, *texts: str, **more: Any) -> dispatcher_pb.DispatchRequest:
        """A message for Dispatch; for ``echo``, unless told otherwise."""
        return dispatcher_pb.DispatchRequest(
            conversation_id=self.conversation_id,
            parts=[Part(text=text) for text in texts],
            **{"handler": "echo", **more},
        )


async def new_conversation(channel: grpc.aio.Channel, caller: Caller) -> Calls:
    """A conversation of the caller's, in which nothing has been said."""
    context = ContextServiceStub(channel)
    made = await context.CreateConversation(
        context_pb.CreateConversationRequest(), metadata=caller.metadata, timeout=10
    )
    return Calls(channel, caller, made.conversation.conversation_id)
