"""A service for tests: what describes it, a server of it on a port, and links to that."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf import message_factory, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection, reflection_pb2

from antiphon_server.integration.connections.adapters.grpc_calls.kind import GrpcServers
from antiphon_server.integration.connections.adapters.signing import OperatorSecrets
from antiphon_server.integration.connections.model import Connection, Grpc, Limits
from antiphon_server.integration.connections.ports import Link
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Json,
    SourceName,
    ToolCallId,
    ToolName,
)
from antiphon_server.runtime.errors import not_found
from antiphon_server.runtime.net.egress.policy import EgressPolicy

V1, V1ALPHA = "grpc.reflection.v1", "grpc.reflection.v1alpha"
SERVICE = "things.v1.Things"
FILE = text_format.Parse(
    """
    name: "things/v1/things.proto" package: "things.v1" syntax: "proto3"
    message_type {
      name: "Thing"
      field { name: "id" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL json_name: "id" }
      field { name: "text" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "text" }
      field {
        name: "parts" number: 3 type: TYPE_MESSAGE type_name: ".things.v1.Thing"
        label: LABEL_REPEATED json_name: "parts"
      }
    }
    service {
      name: "Things"
      method { name: "Echo" input_type: ".things.v1.Thing" output_type: ".things.v1.Thing" }
      method {
        name: "Count" input_type: ".things.v1.Thing" output_type: ".things.v1.Thing"
        server_streaming: true
      }
      method {
        name: "Collect" input_type: ".things.v1.Thing" output_type: ".things.v1.Thing"
        client_streaming: true
      }
    }
    """,
    FileDescriptorProto(),
)
SET = FileDescriptorSet(file=[FILE]).SerializeToString()
POOL = DescriptorPool()
POOL.AddSerializedFile(FILE.SerializeToString())
Thing: Any = message_factory.GetMessageClass(POOL.FindMessageTypeByName("things.v1.Thing"))
Asked = Callable[[Any, Any], AsyncIterator[Any]]
"""What a server of reflection does."""


class Things:
    """Echoes, counts up to a thing's id (without end below 0), and remembers how it was called."""

    def __init__(self) -> None:
        self.seconds_left = 0.0
        self.sent = 0
        self.cancelled = asyncio.Event()

    async def echo(self, request: Any, context: Any) -> Any:
        self.seconds_left = context.time_remaining()
        return request

    async def count(self, request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            while self.sent != request.id:
                self.sent += 1
                yield Thing(id=self.sent, text=request.text)
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    @property
    def handlers(self) -> Mapping[str, Any]:
        """By the names of methods."""
        spelled = (Thing.FromString, Thing.SerializeToString)
        return {
            "Echo": grpc.unary_unary_rpc_method_handler(self.echo, *spelled),
            "Count": grpc.unary_stream_rpc_method_handler(self.count, *spelled),
        }


def honest(*services: str) -> Asked:
    """Reflection as it is meant to be."""
    servicer = reflection.aio.ReflectionServicer(services or (SERVICE,), pool=POOL)

    async def asked(requests: Any, context: Any) -> AsyncIterator[Any]:
        async for answer in servicer.ServerReflectionInfo(requests, context):
            yield answer

    return asked


@asynccontextmanager
async def serving(
    things: Things,
    versions: Collection[str] = (V1, V1ALPHA),
    asked: Asked | None = None,
    credentials: grpc.ServerCredentials | None = None,
    port: int = 0,
) -> AsyncIterator[int]:
    """A server's port; ``asked`` answers by these versions of reflection."""
    server = grpc.aio.server()
    reflecting = grpc.stream_stream_rpc_method_handler(
        asked or honest(),
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    served = {f"{it}.ServerReflection": {"ServerReflectionInfo": reflecting} for it in versions}
    for name, handlers in {SERVICE: things.handlers, **served}.items():
        generic = grpc.method_handlers_generic_handler(name, dict(handlers))
        server.add_generic_rpc_handlers((generic,))
    if credentials is None:
        port = server.add_insecure_port(f"127.0.0.1:{port}")
    else:
        port = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


class Given:
    """A descriptor set that was given along; empty for none."""

    def __init__(self, descriptor_set: bytes = b"") -> None:
        self.descriptor_set = descriptor_set

    async def document(self, connection: Connection) -> bytes:
        if not self.descriptor_set:
            raise not_found("document")
        return self.descriptor_set


@asynccontextmanager
async def linked(
    target: Grpc, limits: Limits | None = None, descriptor_set: bytes = b""
) -> AsyncIterator[Link]:
    """A link of the installation, which may call this machine."""
    secrets = OperatorSecrets({}, None)  # type: ignore[arg-type]
    kind = GrpcServers(EgressPolicy(), secrets, Given(descriptor_set))
    connection = Connection("", SourceName("it"), target, limits=limits or Limits())
    link = await kind.link(connection, lambda: None)
    try:
        yield link
    finally:
        await link.close()


def call(method: str, **arguments: Json) -> Call:
    """A call of one of the service's methods."""
    tool = ToolName(f"it.Things.{method}")
    return Call(ToolCallId("call_1"), tool, arguments, Caller("ws"))
