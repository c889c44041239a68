"""Who may know of what, as the services know it that keep users and roles."""

from typing import TYPE_CHECKING

from antiphon.auth.v1.access_pb2 import ROLE_UNSPECIFIED
from antiphon.auth.v1.auth_service_pb2 import GetUserRequest
from antiphon.context.v1.context_service_pb2 import CheckAccessRequest
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # these exist for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 5.0


class AskedRights:
    """A :class:`~antiphon_server.notifying.ports.Rights` that asks each time."""

    def __init__(self, auth: "AuthServiceAsyncStub", context: "ContextServiceAsyncStub") -> None:
        self._auth, self._context = auth, context

    async def may_act(self, owner: str) -> bool:
        """See :meth:`Rights.may_act`."""
        user_id = _user(owner)
        if not user_id:
            return True
        try:
            with remote_errors("auth"):
                request = GetUserRequest(user_id=user_id)
                found = await self._auth.GetUser(request, timeout=TIMEOUT_S)
        except DomainError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            return False
        return not found.user.disabled

    async def may_read(self, owner: str, conversation_id: str) -> bool:
        """See :meth:`Rights.may_read`."""
        user_id = _user(owner)
        if not user_id:
            return True
        request = CheckAccessRequest(user_id=user_id, resource=conversation_id)
        with remote_errors("context"):
            found = await self._context.CheckAccess(request, timeout=TIMEOUT_S)
        return found.role != ROLE_UNSPECIFIED


def _user(owner: str) -> str:
    kind, _, user_id = owner.partition("/")
    return user_id if kind == "users" else ""
