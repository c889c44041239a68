"""The access policy of an installation: roles, as the context service knows them now."""

from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2
from antiphon_server.runtime.access.permissions import ROLES, Role, Rule
from antiphon_server.runtime.access.policy import (
    NO_ROLE,
    Decision,
    Held,
    Question,
    decide,
    resource_with_roles,
)
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 10.0


class ContextAccessPolicy:
    """An :class:`~antiphon_server.runtime.access.rules.AccessPolicy` that asks the context service.

    The stub's channel must speak as a service of this installation.
    """

    def __init__(self, context: "ContextServiceAsyncStub") -> None:
        self._context = context

    async def decide(self, principal: Principal, rule: Rule, resource: str = "") -> Decision:
        """See :meth:`AccessPolicy.decide`; any text will do as resource.

        Raises DomainError for whatever keeps the context service from answering.
        """
        held = NO_ROLE
        if rule.permission in ROLES and principal.kind == "user":
            held = await self._held(principal, resource)
        return decide(Question(principal, rule, resource, held))

    async def _held(self, principal: Principal, resource: str) -> Held:
        asked = resource_with_roles(resource)
        if asked is None:
            return NO_ROLE
        request = context_service_pb2.CheckAccessRequest(user_id=principal.user_id, resource=asked)
        with remote_errors("context"):
            response = await self._context.CheckAccess(request, timeout=TIMEOUT_S)
        return Held(Role(response.role), response.granted_on)
