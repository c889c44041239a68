"""Accounts, through the service that owns them."""

import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from antiphon.auth.v1 import auth_service_pb2
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

TIMEOUT_S = 10.0
NAMES_TIMEOUT_S = 2.0
"""Lists of members go without names sooner than that they wait."""
log = logging.getLogger(__name__)


class AuthServiceUsers:
    """A :class:`~antiphon_server.context.ports.Users` through the AuthService.

    What it says of names is remembered in ``names``, for as long as it says.
    """

    def __init__(self, auth: "AuthServiceAsyncStub", names: KnownNames) -> None:
        self._auth = auth
        self._names = names

    async def require(self, user_id: UserId) -> str:
        request = auth_service_pb2.GetUserRequest(user_id=user_id)
        with remote_errors("auth"):
            found = await self._auth.GetUser(request, timeout=TIMEOUT_S)
        return found.user.display_name

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        known = await self._names.of(user_ids)
        if not known.missing:
            return known.names
        try:
            found, seconds = await self._asked(known.missing)
        except DomainError as error:
            log.info("some names are not known: %s", error)
            return known.names
        await self._names.keep(found, seconds, known.lease)
        return known.names | found

    async def _asked(self, user_ids: Collection[UserId]) -> tuple[dict[UserId, str], float]:
        """What they are called, and for how long that may be remembered."""
        request = auth_service_pb2.GetDisplayNamesRequest(user_ids=user_ids)
        with remote_errors("auth"):
            found = await self._auth.GetDisplayNames(request, timeout=NAMES_TIMEOUT_S)
        names = {UserId(user_id): name for user_id, name in found.display_names.items()}
        return names, found.kept_for.ToTimedelta().total_seconds()
