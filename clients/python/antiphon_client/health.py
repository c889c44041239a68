"""``grpc.health.v1``, asked for everything at once."""

import grpc

from antiphon_client.status import error_of_rpc

_DEADLINE_S = 5.0


async def health_of(channel: grpc.aio.Channel) -> dict[str, bool]:
    """Whether each service and part serves. Raises AntiphonError."""
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    serving = health_pb2.HealthCheckResponse.SERVING
    stub = health_pb2_grpc.HealthStub(channel)
    try:
        listed = await stub.List(health_pb2.HealthListRequest(), timeout=_DEADLINE_S)
    except grpc.aio.AioRpcError as error:
        raise error_of_rpc(error) from None
    return {name: response.status == serving for name, response in listed.statuses.items()}
