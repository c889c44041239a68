"""What the contracts say of their RPCs that matters on the way to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor_pb2 import MethodOptions

from antiphon.auth.v1 import (
    access_service_pb2,
    audit_service_pb2,
    auth_service_pb2,
    policy_service_pb2,
    verification_service_pb2,
)
from antiphon.context.v1 import context_service_pb2
from antiphon.dispatcher.v1 import dispatcher_service_pb2
from antiphon.events.v1 import event_service_pb2
from antiphon.integration.v1 import integration_service_pb2
from antiphon.mesh.v1 import registry_service_pb2
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.rules import rule_of
from buf.validate import validate_pb2

_FILES = (
    access_service_pb2,
    audit_service_pb2,
    auth_service_pb2,
    policy_service_pb2,
    verification_service_pb2,
    context_service_pb2,
    dispatcher_service_pb2,
    event_service_pb2,
    integration_service_pb2,
    registry_service_pb2,
)


@dataclass(frozen=True, slots=True)
class Rpc:
    """An RPC: ``/package.Service/Method``, whether a side streams, and who may call it.

    ``repeatable`` says that anybody's call of it may be sent twice: it reads, or sets or ends what
    it names. What knows a first answer by an id that clients may leave out is left to them.
    """

    path: str
    streams: bool
    permission: Permission
    repeatable: bool

    @property
    def service(self) -> str:
        """The full name of its service."""
        return self.path[1:].partition("/")[0]

    @property
    def public(self) -> bool:
        """Whether anybody may call it, without a token."""
        return self.permission is Permission.PUBLIC

    @property
    def internal(self) -> bool:
        """Whether only services of the installation call it, who need no edge."""
        return self.permission is Permission.INTERNAL


@cache
def rpcs() -> tuple[Rpc, ...]:
    """All of them, by their contracts' order."""
    return tuple(rpc for file in _FILES for rpc in _rpcs_of(file.DESCRIPTOR))


def services() -> tuple[str, ...]:
    """The full names of all services."""
    return tuple(dict.fromkeys(rpc.service for rpc in rpcs()))


def package(name: str) -> str:
    """Which of the installation's services has the contract of that full name.

    Health is of every server, and is asked of auth.
    """
    parts = name.split(".")
    return parts[1] if parts[0] == "antiphon" else "auth"


def names() -> tuple[str, ...]:
    """The installation's services: what contracts have between ``antiphon.`` and ``.v1``."""
    return tuple(dict.fromkeys(map(package, services())))


def _rpcs_of(file: Any) -> Iterator[Rpc]:
    for service in file.services_by_name.values():
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            streams = method.client_streaming or method.server_streaming
            repeatable = not streams and _is_repeatable(method)
            yield Rpc(path, streams, rule_of(path).permission, repeatable)


def _is_repeatable(method: Any) -> bool:
    level = method.GetOptions().idempotency_level
    if level == MethodOptions.IDEMPOTENT:
        return not any(map(_may_be_left_out, method.input_type.fields))
    return bool(level == MethodOptions.NO_SIDE_EFFECTS)


def _may_be_left_out(field: Any) -> bool:
    """Whether it is an id without which nobody may know a repetition: the edge reads no bodies."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    optional = rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
    return bool(field.name == "request_id" or (optional and field.name.endswith("_id")))
