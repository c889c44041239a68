"""A bare unary call that asks another bare server first: what a hop costs at least."""

from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest, PostMessageResponse
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from tests.proofs.bench.floors.bare import add_methods


def add(server: grpc.aio.Server, address: str) -> None:
    """Answer ContextService.PostMessage with what the server at ``address`` answers."""
    stub: Any = ContextServiceStub(grpc.aio.insecure_channel(address))

    async def post(request: PostMessageRequest, context: Any) -> PostMessageResponse:
        answer: PostMessageResponse = await stub.PostMessage(request)
        return answer

    method = grpc.unary_unary_rpc_method_handler(
        post, PostMessageRequest.FromString, PostMessageResponse.SerializeToString
    )
    add_methods(server, "antiphon.context.v1.ContextService", PostMessage=method)
