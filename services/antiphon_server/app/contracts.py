"""All that an installation offers, whichever process has it."""

from collections.abc import Iterator

from google.protobuf.descriptor import FileDescriptor

from antiphon.auth.v1 import (
    access_service_pb2,
    audit_service_pb2,
    auth_service_pb2,
    verification_service_pb2,
)
from antiphon.context.v1 import context_service_pb2
from antiphon.dispatcher.v1 import dispatcher_service_pb2
from antiphon.events.v1 import event_service_pb2
from antiphon.integration.v1 import integration_service_pb2
from antiphon_server.runtime.installation import ServiceName

CONTRACTS: dict[ServiceName, tuple[FileDescriptor, ...]] = {
    "auth": (
        auth_service_pb2.DESCRIPTOR,
        access_service_pb2.DESCRIPTOR,
        audit_service_pb2.DESCRIPTOR,
        verification_service_pb2.DESCRIPTOR,
    ),
    "events": (event_service_pb2.DESCRIPTOR,),
    "context": (context_service_pb2.DESCRIPTOR,),
    "integration": (integration_service_pb2.DESCRIPTOR,),
    "dispatcher": (dispatcher_service_pb2.DESCRIPTOR,),
}


def full_name(service: ServiceName) -> str:
    """The name of a service's first contract, by which its health is known."""
    name: str = next(iter(CONTRACTS[service][0].services_by_name.values())).full_name
    return name


def all_methods() -> Iterator[str]:
    """The full names of all RPCs, ``/package.Service/Method``."""
    for files in CONTRACTS.values():
        for file in files:
            for service in file.services_by_name.values():
                for method in service.methods:
                    yield f"/{service.full_name}/{method.name}"
