"""A bare unary call: the message comes back, nothing is stored."""

from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest, PostMessageResponse
from antiphon.context.v1.message_pb2 import Message
from tests.proofs.bench.floors.bare import add_methods


async def _post(request: PostMessageRequest, context: Any) -> PostMessageResponse:
    message = Message(conversation_id=request.conversation_id, parts=request.parts)
    return PostMessageResponse(message=message)


def method() -> Any:
    """The handler of PostMessage."""
    return grpc.unary_unary_rpc_method_handler(
        _post, PostMessageRequest.FromString, PostMessageResponse.SerializeToString
    )


def add(server: grpc.aio.Server, _: str = "") -> None:
    """Answer ContextService.PostMessage."""
    add_methods(server, "antiphon.context.v1.ContextService", PostMessage=method())
