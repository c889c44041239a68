"""Who may call which RPC: rules read from the contracts, and the ports that apply them."""

from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf import descriptor_pool

from antiphon.auth.v1 import access_pb2
from antiphon_server.runtime.permissions import SCOPES, Scope
from antiphon_server.runtime.principal import Principal

Permission = int
"""A value of the contract's enum ``antiphon.auth.v1.Permission``."""

THIRD_PARTY = (
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
)
"""Services whose contracts are not ours; whether they run at all is settled at start."""

_ROLE_BOUND = (
    access_pb2.PERMISSION_READ,
    access_pb2.PERMISSION_WRITE,
    access_pb2.PERMISSION_MANAGE,
)


class TokenVerifier(Protocol):
    """Knows access tokens."""

    async def verify(self, token: str) -> Principal:
        """Who holds the token.

        Raises DomainError TOKEN_INVALID, TOKEN_EXPIRED or SESSION_REVOKED.
        """
        ...


class AccessPolicy(Protocol):
    """Knows roles."""

    async def check(self, principal: Principal, permission: Permission, resource: str) -> None:
        """Return if the principal may do that to the resource.

        ``permission`` is PERMISSION_READ, _WRITE or _MANAGE; ``resource`` is a workspace id, a
        conversation id or a scope. Raises DomainError NOT_FOUND for a caller with
        no role on it, PERMISSION_DENIED for one whose role is too small.
        """
        ...


class UndeclaredAccess(Exception):
    """A contract has an RPC that does not say who may call it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a caller must hold, and the path of the request's field that names the resource.

    ``scope`` is what a limited credential must have been granted beside.
    """

    permission: Permission
    resource_path: tuple[str, ...] = ()
    scope: Scope = Scope.NONE


PUBLIC = Rule(access_pb2.PERMISSION_PUBLIC)


def name_of(permission: Permission) -> str:
    """The permission's name without its prefix, such as ``WRITE``."""
    return access_pb2.Permission.Name(access_pb2.Permission.ValueType(permission)).removeprefix(
        "PERMISSION_"
    )


def rule_of(method: str) -> Rule:
    """The rule that the contract declares for a method, named ``/package.Service/Method``.

    Raises UndeclaredAccess for a method without a valid declaration, and
    LookupError for a service whose descriptors are not loaded.
    """
    service, _, name = method[1:].partition("/")
    if service in THIRD_PARTY:
        return PUBLIC
    descriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    access = descriptor.GetOptions().Extensions[access_pb2.access]
    permission = access.permission
    if not permission or permission not in access_pb2.Permission.values():
        raise UndeclaredAccess(f"{method} does not declare who may call it")
    scope = _scope_of(method, access)
    path = tuple(access.resource_field.split(".")) if access.resource_field else ()
    if bool(path) != (permission in _ROLE_BOUND) or not _leads_to_text(descriptor.input_type, path):
        raise UndeclaredAccess(f"{method} declares a resource that its permission can't use")
    if path and descriptor.client_streaming:
        raise UndeclaredAccess(f"{method} streams requests, so it has no one resource")
    return Rule(permission, path, scope)


def _scope_of(method: str, access: access_pb2.Access) -> Scope:
    """The scope that follows from the permission, or the declared one where none does."""
    declared = access.scope
    says_it = access.permission == access_pb2.PERMISSION_AUTHENTICATED
    if bool(declared) != says_it or declared not in access_pb2.Scope.values():
        raise UndeclaredAccess(f"{method} declares no scope where it must, or one where it can't")
    return Scope(declared) if says_it else SCOPES.get(access.permission, Scope.NONE)


def _leads_to_text(message: Any, path: tuple[str, ...]) -> bool:
    """Whether the path exists and ends at a string."""
    field = None
    for name in path:
        field = message.fields_by_name.get(name) if message is not None else None
        if field is None or field.is_repeated:
            return False
        message = field.message_type
    return field is None or bool(field.type == field.TYPE_STRING)
