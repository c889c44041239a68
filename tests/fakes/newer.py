"""The contracts as a version to come may have them: what its servers and clients send."""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor

from antiphon.auth.v1 import audit_pb2
from antiphon.context.v1 import anomaly_service_pb2, filter_service_pb2
from antiphon.dispatcher.v1 import dispatcher_service_pb2, route_service_pb2
from antiphon.events.v1 import event_service_pb2
from antiphon.integration.v1 import connection_service_pb2, integration_service_pb2

NUMBER = 900
"""Of every field that the version to come has appended."""
VALUE = 99
"""Of every value that it has appended to an enum."""
_ONEOFS = {
    "antiphon.events.v1.Event": "payload",
    "antiphon.context.v1.Part": "content",
    "antiphon.context.v1.Detector": "kind",
    "antiphon.context.v1.Filter": "kind",
    "antiphon.events.v1.SubscribeRequest": "action",
    "antiphon.events.v1.SubscribeResponse": "frame",
    "antiphon.events.v1.PublishEphemeralRequest": "payload",
    "antiphon.dispatcher.v1.ConverseRequest": "action",
    "antiphon.dispatcher.v1.ConverseResponse": "frame",
    "antiphon.integration.v1.ForwardRequest": "request",
    "antiphon.integration.v1.GenerateResponse": "step",
    "antiphon.integration.v1.SocketMessage": "data",
    "antiphon.auth.v1.SecurityEvent": "detail",
}
"""Oneofs with a new member ``newer``, which has a text; other messages have a text ``newer``."""


def newer(name: str) -> Any:
    """The class of a message, by its name behind ``antiphon.``, with what was appended to it."""
    found = _pool().FindMessageTypeByName(f"antiphon.{name}")
    return message_factory.GetMessageClass(found)


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    known: set[str] = set()
    for module in (
        audit_pb2,
        anomaly_service_pb2,
        connection_service_pb2,
        filter_service_pb2,
        route_service_pb2,
        dispatcher_service_pb2,
        event_service_pb2,
        integration_service_pb2,
    ):
        _add(pool, module.DESCRIPTOR, known)
    return pool


def _add(pool: descriptor_pool.DescriptorPool, file: FileDescriptor, known: set[str]) -> None:
    if file.name in known:
        return
    known.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, known)
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    if file.package.startswith("antiphon."):
        for message in proto.message_type:
            _append(message, f"{file.package}.{message.name}")
    pool.Add(proto)


def _append(message: descriptor_pb2.DescriptorProto, name: str) -> None:
    field = message.field.add(name="newer", number=NUMBER, label=1, type=9)
    if name in _ONEOFS:
        member = message.nested_type.add(name="Newer")
        member.field.add(name="text", number=1, label=1, type=9)
        field.type, field.type_name = (
            descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
            f".{name}.Newer",
        )
        names = [oneof.name for oneof in message.oneof_decl]
        field.oneof_index = names.index(_ONEOFS[name])
