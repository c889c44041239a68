"""The access policy of an installation: roles, as the context service knows them now."""

from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2
from antiphon_server.context.access_decision import Verdict, decide, resource_with_roles
from antiphon_server.context.model.resources import Role
from antiphon_server.runtime.access import Permission, name_of
from antiphon_server.runtime.error_table import remote_errors
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.principal import Principal

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 10.0


class ContextAccessPolicy:
    """An :class:`~antiphon_server.runtime.access.AccessPolicy` that asks the context service.

    The stub's channel must speak as a service of this installation.
    """

    def __init__(self, context: "ContextServiceAsyncStub") -> None:
        self._context = context

    async def check(self, principal: Principal, permission: Permission, resource: str) -> None:
        """See :meth:`AccessPolicy.check`; any permission will do here, any text as resource.

        Raises DomainError UNAUTHENTICATED for anonymous callers, and whatever keeps the
        context service from answering.
        """
        role = await self._role(principal, resource)
        match decide(principal, permission, resource, role):
            case Verdict.ALLOWED:
                return
            case Verdict.UNAUTHENTICATED:
                raise DomainError(Reason.UNAUTHENTICATED)
            case Verdict.NOT_FOUND:
                raise not_found(resource)
            case Verdict.DENIED:
                raise DomainError(Reason.PERMISSION_DENIED, permission=name_of(permission))

    async def _role(self, principal: Principal, resource: str) -> Role:
        asked = resource_with_roles(resource)
        if asked is None or principal.kind != "user":
            return Role.NONE
        request = context_service_pb2.CheckAccessRequest(user_id=principal.user_id, resource=asked)
        with remote_errors():
            response = await self._context.CheckAccess(request, timeout=TIMEOUT_S)
        return Role(response.role)
