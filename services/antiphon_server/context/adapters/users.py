"""Accounts, through the service that owns them."""

from typing import TYPE_CHECKING

from antiphon.auth.v1 import auth_service_pb2
from antiphon_server.runtime.error_table import remote_errors
from antiphon_server.runtime.principal import UserId

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

TIMEOUT_S = 10.0


class AuthServiceUsers:
    """A :class:`~antiphon_server.context.ports.Users` through the AuthService."""

    def __init__(self, auth: "AuthServiceAsyncStub") -> None:
        self._auth = auth

    async def require(self, user_id: UserId) -> None:
        """See :meth:`Users.require`."""
        with remote_errors("auth"):
            await self._auth.GetUser(
                auth_service_pb2.GetUserRequest(user_id=user_id), timeout=TIMEOUT_S
            )
