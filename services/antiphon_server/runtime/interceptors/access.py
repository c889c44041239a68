"""Lets a call through only if the contract allows it to the caller."""

from typing import Any

from antiphon.auth.v1.access_pb2 import (
    PERMISSION_AUTHENTICATED,
    PERMISSION_INTERNAL,
    PERMISSION_OPERATE,
    PERMISSION_PUBLIC,
)
from antiphon_server.runtime.access import AccessPolicy, Permission, Rule, name_of, rule_of
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.methods import (
    UNKNOWN,
    Behaviour,
    Context,
    Method,
    MethodInterceptor,
)
from antiphon_server.runtime.principal import Principal, current_principal


class AccessInterceptor(MethodInterceptor):
    """Applies the rule of each method; innermost, so that it sees valid requests.

    A method without a rule makes the table of methods fail before it serves.
    Where the request names no resource the caller's own default applies, which
    needs no more than being somebody. Methods that stream requests are checked
    per message by their handlers.
    """

    def __init__(self, policy: AccessPolicy) -> None:
        super().__init__()
        self._policy = policy

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """See the class. Raises UndeclaredAccess for a method without a rule."""
        if method is UNKNOWN:
            return inner
        rule = rule_of(method.name)
        if rule.permission in (PERMISSION_PUBLIC, PERMISSION_AUTHENTICATED):
            return inner
        if rule.permission in (PERMISSION_OPERATE, PERMISSION_INTERNAL):
            return _by_kind(rule.permission, inner)
        return self._by_role(rule, inner)

    def _by_role(self, rule: Rule, inner: Behaviour) -> Behaviour:
        check, permission, path = self._policy.check, rule.permission, rule.resource_path

        async def call(request: Any, context: Context) -> Any:
            resource = request
            for name in path:
                resource = getattr(resource, name)
            if resource:
                await check(current_principal(), permission, resource)
            return await inner(request, context)

        return call


def _by_kind(permission: Permission, inner: Behaviour) -> Behaviour:
    async def call(request: Any, context: Context) -> Any:
        if not _holds(current_principal(), permission):
            raise DomainError(Reason.PERMISSION_DENIED, permission=name_of(permission))
        return await inner(request, context)

    return call


def _holds(principal: Principal, permission: Permission) -> bool:
    return principal.kind == "service" or (permission == PERMISSION_OPERATE and principal.operates)
