"""Server reflection, for grpcurl and the like; never in production."""

from grpc import stream_stream_rpc_method_handler

from antiphon_server.runtime.rpc.methods import MethodTable

V1 = "grpc.reflection.v1.ServerReflection"
V1_ALPHA = "grpc.reflection.v1alpha.ServerReflection"


def register_reflection(table: MethodTable) -> None:
    """Describe the services registered so far.

    Version 1 has the same messages as v1alpha under another name, and no stubs
    in grpcio-reflection yet, so the same servicer answers both.
    """
    from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

    servicer = reflection.aio.ReflectionServicer([*table.services, V1_ALPHA])
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, table)
    handler = stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    table.add_registered_method_handlers(V1, {"ServerReflectionInfo": handler})
