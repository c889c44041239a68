"""Accounts, through the service that owns them."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from antiphon.auth.v1 import auth_service_pb2
from antiphon_server.runtime.error_table import remote_errors
from antiphon_server.runtime.principal import UserId

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

TIMEOUT_S = 10.0
NAMES_TIMEOUT_S = 2.0
"""Lists of members go without names sooner than that they wait."""


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

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """See :meth:`Users.names_of`."""
        request = auth_service_pb2.GetDisplayNamesRequest(user_ids=user_ids)
        with remote_errors("auth"):
            found = await self._auth.GetDisplayNames(request, timeout=NAMES_TIMEOUT_S)
        return {UserId(user_id): name for user_id, name in found.display_names.items()}
