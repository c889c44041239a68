"""Lets a call through only if the policy allows it to the caller."""

from dataclasses import replace
from typing import Any

from antiphon_server.runtime.access.permissions import Permission, Rule
from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.access.rules import AccessPolicy, rule_of
from antiphon_server.runtime.rpc.methods import (
    UNKNOWN,
    Behaviour,
    Context,
    Method,
    MethodInterceptor,
)


class AccessInterceptor(MethodInterceptor):
    """Applies each method's access rule; innermost, so that it sees valid requests only.

    A method without a rule makes the table of methods fail before it serves. If the request names
    no resource, the caller's own default applies, which any caller may use. Handlers of request
    streams check each message themselves.
    """

    def __init__(self, policy: AccessPolicy) -> None:
        super().__init__()
        self._policy = policy

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """See the class. Raises UndeclaredAccess for a method without a rule."""
        if method is UNKNOWN:
            return inner
        rule = rule_of(method.name)
        if rule.permission is Permission.PUBLIC:
            return inner
        if rule.resource_path:
            return self._on_resource(rule, inner)
        decide = self._policy.decide

        async def call(request: Any, context: Context) -> Any:
            enforce(await decide(current_principal(), rule))
            return await inner(request, context)

        return call

    def _on_resource(self, rule: Rule, inner: Behaviour) -> Behaviour:
        decide, path, of_own = self._policy.decide, rule.resource_path, of_own_default(rule)

        async def call(request: Any, context: Context) -> Any:
            resource = request
            for name in path:
                resource = getattr(resource, name)
            enforce(await decide(current_principal(), rule if resource else of_own, resource))
            return await inner(request, context)

        return call


def of_own_default(rule: Rule) -> Rule:
    """What the rule comes to where a request names no resource; a grant has no default."""
    return replace(rule, permission=Permission.AUTHENTICATED, resource_path=(), grant=False)
