"""Profiles, through the service that owns them."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.auth.v1.profile_service_pb2 import GetProfilesRequest
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.profiles.encoding import profile_of
from antiphon_server.runtime.profiles.known import KnownProfiles, Place
from antiphon_server.runtime.profiles.model import Profile, effective

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceAsyncStub

TIMEOUT_S = 1.0
"""A turn goes on without a profile sooner than that it waits."""
log = logging.getLogger(__name__)


class AuthServiceProfiles:
    """A :class:`~antiphon_server.runtime.profiles.model.Profiles` through the ProfileService.

    What it says is remembered for as long as it says.
    """

    def __init__(self, service: "ProfileServiceAsyncStub", known: KnownProfiles) -> None:
        self._service, self._known = service, known

    async def of(self, user_id: UserId, workspace_id: str) -> Profile:
        """See :meth:`Profiles.of`."""
        try:
            return await self.asked(user_id, workspace_id)
        except DomainError as error:
            log.info("a profile is not known: %s", error)
            return Profile(user_id, workspace_id)

    async def asked(self, user_id: UserId, workspace_id: str) -> Profile:
        """See :meth:`Profiles.asked`."""
        places: list[Place] = [(user_id, "")]
        if workspace_id:
            places.append((user_id, workspace_id))
        found, lease = await self._known.of(places)
        if len(found) < len(places):
            found |= await self._read(places, lease)
        return effective(found[places[0]], found[places[-1]])

    async def _read(self, places: Sequence[Place], lease: str) -> dict[Place, Profile]:
        user_id, workspace_id = places[-1]
        request = GetProfilesRequest(user_ids=[user_id], workspace_id=workspace_id)
        with remote_errors("auth"):
            answer = await self._service.GetProfiles(request, timeout=TIMEOUT_S)
        said = {(it.user_id, it.workspace_id): profile_of(it) for it in answer.profiles}
        found = {it: said.get(it, Profile(UserId(it[0]), it[1])) for it in places}
        await self._known.keep(found, answer.kept_for.ToTimedelta().total_seconds(), lease)
        return found
