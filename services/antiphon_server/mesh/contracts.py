"""What the contracts say of their RPCs that matters on the way to them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor_pb2 import MethodOptions

from antiphon.auth.v1 import policy_service_pb2
from antiphon.mesh.v1 import registry_service_pb2
from antiphon_server.installation import SERVICES
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.rules import rule_of
from antiphon_server.runtime.composition.descriptor import Descriptor
from buf.validate import validate_pb2

_OF_NO_SERVICE = (policy_service_pb2.DESCRIPTOR, registry_service_pb2.DESCRIPTOR)
"""What others serve to a process, and what the control plane serves itself."""


@dataclass(frozen=True, slots=True)
class Rpc:
    """An RPC: ``/package.Service/Method``, whether a side streams, and who may call it.

    ``grant``: a turn's grant will do. ``repeatable`` says that anybody's call of it may be sent
    twice: it reads, or sets or ends what it names. What knows a first answer by an id that clients
    may leave out is left to them.
    """

    path: str
    streams: bool
    permission: Permission
    grant: bool
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


class Contracts:
    """What the services of an installation serve, and its control plane."""

    def __init__(self, services: Iterable[Descriptor]) -> None:
        files = [*_OF_NO_SERVICE, *(file for each in services for file in each.contracts())]
        files.sort(key=lambda file: file.name)
        self.rpcs = tuple(rpc for file in files for rpc in _rpcs_of(file))

    @property
    def services(self) -> tuple[str, ...]:
        """The full names of all services."""
        return tuple(dict.fromkeys(rpc.service for rpc in self.rpcs))

    @property
    def names(self) -> tuple[str, ...]:
        """The installation's services: what contracts have between ``antiphon.`` and ``.v1``."""
        return tuple(dict.fromkeys(map(package, self.services)))


@cache
def contracts() -> Contracts:
    """Those of the services that there are."""
    return Contracts(SERVICES)


def package(name: str) -> str:
    """Which of the installation's services has the contract of that full name.

    Health is of every server, and is asked of auth.
    """
    parts = name.split(".")
    return parts[1] if parts[0] == "antiphon" else "auth"


def _rpcs_of(file: Any) -> Iterator[Rpc]:
    for service in file.services_by_name.values():
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            streams = method.client_streaming or method.server_streaming
            repeatable = not streams and _is_repeatable(method)
            rule = rule_of(path)
            yield Rpc(path, streams, rule.permission, rule.grant, repeatable)


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
