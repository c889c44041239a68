"""What the contracts say of their RPCs: which a server has, and which may be called twice."""

from functools import cache
from typing import TypeVar

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from antiphon.auth.v1 import (
    access_service_pb2,
    audit_service_pb2,
    auth_service_pb2,
    profile_service_pb2,
    verification_service_pb2,
)
from antiphon.context.v1 import (
    anomaly_service_pb2,
    context_service_pb2,
    erasure_service_pb2,
    filter_service_pb2,
    notice_service_pb2,
)
from antiphon.dispatcher.v1 import (
    dispatcher_service_pb2,
    handoff_service_pb2,
    route_service_pb2,
    schedule_service_pb2,
    webhook_service_pb2,
    worker_service_pb2,
)
from antiphon.events.v1 import event_service_pb2
from antiphon.integration.v1 import (
    budget_service_pb2,
    connection_service_pb2,
    integration_service_pb2,
    secret_service_pb2,
    tool_service_pb2,
)
from antiphon.memory.v1 import (
    assembly_service_pb2,
    entity_service_pb2,
    forgetting_service_pb2,
    memory_service_pb2,
    pruning_service_pb2,
    search_service_pb2,
    summary_service_pb2,
    whiteboard_service_pb2,
)
from antiphon_client.ids import new_request_id

Request = TypeVar("Request")
_KEY = "request_id"
_SERVICES = tuple(
    service
    for file in (
        access_service_pb2,
        audit_service_pb2,
        auth_service_pb2,
        profile_service_pb2,
        verification_service_pb2,
        context_service_pb2,
        notice_service_pb2,
        erasure_service_pb2,
        filter_service_pb2,
        anomaly_service_pb2,
        dispatcher_service_pb2,
        handoff_service_pb2,
        route_service_pb2,
        schedule_service_pb2,
        webhook_service_pb2,
        worker_service_pb2,
        event_service_pb2,
        budget_service_pb2,
        connection_service_pb2,
        integration_service_pb2,
        secret_service_pb2,
        tool_service_pb2,
        search_service_pb2,
        assembly_service_pb2,
        memory_service_pb2,
        pruning_service_pb2,
        whiteboard_service_pb2,
        summary_service_pb2,
        entity_service_pb2,
        forgetting_service_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
)
SERVICES = tuple(service.full_name for service in _SERVICES)


@cache
def repeatable_rpcs() -> tuple[tuple[str, str], ...]:
    """The service and the name of each unary RPC that may be called twice."""
    return tuple(
        (service.full_name, method.name)
        for service in _SERVICES
        for method in service.methods
        if not (method.client_streaming or method.server_streaming) and _is_repeatable(method)
    )


def may_be_repeated(request: object) -> bool:
    """Whether a request of ours may be sent twice; its RPC is declared in the same file."""
    kind = getattr(request, "DESCRIPTOR", None)
    return kind is not None and any(
        method.input_type is kind and _is_repeatable(method)
        for service in kind.file.services_by_name.values()
        for method in service.methods
    )


def with_request_id(request: Request) -> Request:
    """The request, or if its kind has a ``request_id`` that it lacks, one like it with that."""
    if not isinstance(request, Message) or _KEY not in request.DESCRIPTOR.fields_by_name:
        return request
    if getattr(request, _KEY):
        return request
    named = type(request)()
    named.CopyFrom(request)
    setattr(named, _KEY, new_request_id())
    return named


def _is_repeatable(method: MethodDescriptor) -> bool:
    """What the contract says of calls that carry the ``request_id`` or ``turn_id`` they can."""
    level = method.GetOptions().idempotency_level
    return bool(level != MethodOptions.IDEMPOTENCY_UNKNOWN)
