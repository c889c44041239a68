"""``grpc.health.v1``, asked for everything at once."""

from collections.abc import Iterable

import grpc

from antiphon_client.status import error_of_rpc

_DEADLINE_S = 5.0


async def health_of(channel: grpc.aio.Channel, parts: Iterable[str]) -> dict[str, bool]:
    """Whether the server as a whole (""), and each service and part, serves.

    A server that can't list its parts is asked for ``parts``. Raises AntiphonError.
    """
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    serving = health_pb2.HealthCheckResponse.SERVING
    stub = health_pb2_grpc.HealthStub(channel)
    try:
        try:
            listed = await stub.List(health_pb2.HealthListRequest(), timeout=_DEADLINE_S)
            return {name: each.status == serving for name, each in listed.statuses.items()}
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
        found = {}
        for name in ("", *parts):
            request = health_pb2.HealthCheckRequest(service=name)
            try:
                answer = await stub.Check(request, timeout=_DEADLINE_S)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
            else:
                found[name] = answer.status == serving
        return found
    except grpc.aio.AioRpcError as error:
        raise error_of_rpc(error) from None
