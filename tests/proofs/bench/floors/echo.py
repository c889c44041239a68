"""A bare bidirectional echo: each message is answered at once."""

from typing import Any

import grpc

from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    Accepted,
    ConverseRequest,
    ConverseResponse,
)
from tests.proofs.bench.floors.bare import add_methods


async def _converse(requests: Any, context: Any) -> None:
    while (request := await context.read()) is not grpc.aio.EOF:
        await context.write(ConverseResponse(accepted=Accepted(tag=request.tag)))


def add(server: grpc.aio.Server, _: str = "") -> None:
    """Answer DispatcherService.Converse."""
    method = grpc.stream_stream_rpc_method_handler(
        _converse, ConverseRequest.FromString, ConverseResponse.SerializeToString
    )
    add_methods(server, "antiphon.dispatcher.v1.DispatcherService", Converse=method)
