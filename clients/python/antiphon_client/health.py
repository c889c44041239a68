"""``grpc.health.v1``, asked for each part."""

from collections.abc import Iterable

import grpc

from antiphon_client.status import error_of_rpc

_DEADLINE_S = 5.0


async def health_of(channel: grpc.aio.Channel, parts: Iterable[str]) -> dict[str, bool]:
    """Whether the server as a whole (""), and each of ``parts`` that it has, serves.

    Raises AntiphonError.
    """
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    serving = health_pb2.HealthCheckResponse.SERVING
    stub = health_pb2_grpc.HealthStub(channel)
    found = {}
    for name in ("", *parts):
        request = health_pb2.HealthCheckRequest(service=name)
        try:
            answer = await stub.Check(request, timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise error_of_rpc(error) from None
        else:
            found[name] = answer.status == serving
    return found
