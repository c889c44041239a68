"""Who may call which RPC: rules read from the contracts, and the ports that apply them."""

from typing import Any, Protocol

from google.protobuf import descriptor_pool

from antiphon.auth.v1 import access_pb2
from antiphon_server.runtime.access.permissions import (
    GRANTABLE,
    ROLES,
    SCOPES,
    Permission,
    Rule,
    Scope,
)
from antiphon_server.runtime.access.policy import Decision
from antiphon_server.runtime.access.principal import Principal

THIRD_PARTY = (
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
)
"""Services whose contracts are not ours; whether they run at all is settled at start."""


class TokenVerifier(Protocol):
    """Knows access tokens."""

    async def verify(self, token: str) -> Principal:
        """Who holds the token.

        Raises DomainError TOKEN_INVALID, TOKEN_EXPIRED or SESSION_REVOKED.
        """
        ...


class TokenRechecker(TokenVerifier, Protocol):
    """One that those ask again whose calls take long."""

    async def recheck(self, token: str, principal: Principal) -> None:
        """Return if whoever began something with the token may go on with it.

        That it expires meanwhile is no reason to stop: its session counts. Raises DomainError
        SESSION_REVOKED, or TOKEN_INVALID if its key was withdrawn.
        """
        ...


class AccessPolicy(Protocol):
    """Decides about access, by the roles as they are now."""

    async def decide(self, principal: Principal, rule: Rule, resource: str = "") -> Decision:
        """Decide whether the rule lets the principal act, and say why.

        ``resource`` is a workspace id, a conversation id or a scope, and empty if the rule takes
        none. Raises DomainError if it cannot decide, such as POLICY_UNAVAILABLE; access is denied
        then.
        """
        ...


class UndeclaredAccess(Exception):
    """A contract has an RPC that does not say who may call it."""


def rule_of(method: str) -> Rule:
    """The access rule that the contract declares for a method ``/package.Service/Method``.

    Raises UndeclaredAccess for a method without a valid declaration, and LookupError for a service
    whose descriptors are not loaded.
    """
    service, _, name = method[1:].partition("/")
    if service in THIRD_PARTY:
        return Rule(Permission.PUBLIC, method=method)
    descriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    access = descriptor.GetOptions().Extensions[access_pb2.access]
    if not access.permission or access.permission not in access_pb2.Permission.values():
        raise UndeclaredAccess(f"{method} does not declare who may call it")
    permission = Permission(access.permission)
    path = tuple(access.resource_field.split(".")) if access.resource_field else ()
    if bool(path) != (permission in ROLES) or not _leads_to_text(descriptor.input_type, path):
        raise UndeclaredAccess(f"{method} declares a resource that its permission can't use")
    if path and descriptor.client_streaming:
        raise UndeclaredAccess(f"{method} streams requests, so it has no one resource")
    if access.grant and permission not in GRANTABLE:
        raise UndeclaredAccess(f"{method} is open to grants, which can't have its permission")
    scope = _scope_of(method, permission, access.scope)
    return Rule(permission, path, scope, method, access.grant)


def _scope_of(method: str, permission: Permission, declared: int) -> Scope:
    """The scope that follows from the permission, or the declared one where none does."""
    says_it = permission is Permission.AUTHENTICATED
    if bool(declared) != says_it or declared not in access_pb2.Scope.values():
        raise UndeclaredAccess(f"{method} declares no scope where it must, or one where it can't")
    return Scope(declared) if says_it else SCOPES.get(permission, Scope.NONE)


def _leads_to_text(message: Any, path: tuple[str, ...]) -> bool:
    """Whether the path exists and ends at a string."""
    field = None
    for name in path:
        field = message.fields_by_name.get(name) if message is not None else None
        if field is None or field.is_repeated:
            return False
        message = field.message_type
    return field is None or bool(field.type == field.TYPE_STRING)
