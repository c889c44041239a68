"""What the contracts say of their RPCs that matters on the way to them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

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
from antiphon_client.address import service_config
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.rules import rule_of

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

    ``repeatable`` says that anybody's call of it may be sent twice: it reads, or ends what has
    ended already. What knows a first answer by an id that clients may leave out is left to them.
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
            repeatable = path in _repeatable() and not _asks_for_an_id(method)
            yield Rpc(path, streams, rule_of(path).permission, repeatable)


def _asks_for_an_id(method: Any) -> bool:
    """Whether it is the request's id, or the turn's that a client may choose, that makes it so."""
    name = "turn_id" if method.name == "Dispatch" else "request_id"
    return name in method.input_type.fields_by_name


@cache
def _repeatable() -> frozenset[str]:
    """By the list that clients go by (gRFC A6)."""
    [config] = json.loads(service_config())["methodConfig"]
    return frozenset(f"/{each['service']}/{each['method']}" for each in config["name"])
