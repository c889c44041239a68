"""Accounts, through the service that owns them."""

from typing import TYPE_CHECKING

from antiphon.auth.v1.auth_service_pb2 import GetUserRequest
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

TIMEOUT_S = 10.0


class AuthServiceUsers:
    """A :class:`~antiphon_server.workers.ports.Users` through the AuthService."""

    def __init__(self, auth: "AuthServiceAsyncStub") -> None:
        self._auth = auth

    async def require(self, user_id: UserId) -> None:
        with remote_errors("auth"):
            await self._auth.GetUser(GetUserRequest(user_id=user_id), timeout=TIMEOUT_S)
