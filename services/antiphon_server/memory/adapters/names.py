"""What people are called, through the service that owns their accounts."""

import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from antiphon.auth.v1.auth_service_pb2 import GetDisplayNamesRequest
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

TIMEOUT_S = 2.0
"""A search goes on without names sooner than that it waits."""
AT_ONCE = 200
log = logging.getLogger(__name__)


class AuthServiceNames:
    """A :class:`~antiphon_server.memory.ports.Names` through the AuthService.

    What it says is remembered in ``names``, which others share, for as long as it says.
    """

    def __init__(self, auth: "AuthServiceAsyncStub", names: KnownNames) -> None:
        self._auth = auth
        self._names = names

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        known = await self._names.of(user_ids)
        found = dict(known.names)
        for start in range(0, len(known.missing), AT_ONCE):
            found |= await self._asked(known.missing[start : start + AT_ONCE], known.lease)
        return found

    async def _asked(self, user_ids: Collection[UserId], lease: str) -> Mapping[UserId, str]:
        try:
            with remote_errors("auth"):
                answer = await self._auth.GetDisplayNames(
                    GetDisplayNamesRequest(user_ids=user_ids), timeout=TIMEOUT_S
                )
        except DomainError as error:
            log.info("some names are not known: %s", error)
            return {}
        names = {UserId(it): name for it, name in answer.display_names.items()}
        await self._names.keep(names, answer.kept_for.ToTimedelta().total_seconds(), lease)
        return names
