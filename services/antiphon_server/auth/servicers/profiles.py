"""ProfileService: decode, call, encode."""

from typing import Any

from google.protobuf.duration_pb2 import Duration

from antiphon.auth.v1 import profile_service_pb2 as pb
from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceServicer
from antiphon_server.auth.service.ownership import whose
from antiphon_server.auth.service.profiles import UserProfiles
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.principal import UserId, current_principal
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.profiles.encoding import profile_message
from antiphon_server.runtime.profiles.known import KnownProfiles
from antiphon_server.runtime.profiles.model import FIELDS
from antiphon_server.runtime.rpc.field_masks import masked


class ProfileServicer(ProfileServiceServicer):
    """The RPCs of ``antiphon.auth.v1.ProfileService``."""

    def __init__(self, profiles: UserProfiles, users: Users, known: KnownProfiles) -> None:
        self._profiles, self._users, self._known = profiles, users, known

    async def GetProfile(
        self, request: pb.GetProfileRequest, context: Any
    ) -> pb.GetProfileResponse:
        user_id = await self._whose(request.user_id)
        there, effective = await self._profiles.get(user_id, request.workspace_id)
        return pb.GetProfileResponse(
            profile=profile_message(there), effective=profile_message(effective)
        )

    async def UpdateProfile(
        self, request: pb.UpdateProfileRequest, context: Any
    ) -> pb.UpdateProfileResponse:
        paths = masked(request.update_mask, FIELDS)
        wishes = {name: getattr(request, name) for name in paths}
        user_id = await self._whose(request.user_id)
        found = await self._profiles.update(user_id, request.workspace_id, wishes, request.etag)
        return pb.UpdateProfileResponse(profile=profile_message(found))

    async def DeleteProfile(
        self, request: pb.DeleteProfileRequest, context: Any
    ) -> pb.DeleteProfileResponse:
        user_id = await self._whose(request.user_id)
        if not request.all:
            await self._profiles.delete(user_id, request.workspace_id, request.etag)
        elif request.workspace_id or request.etag:
            raise invalid("all", "comes without workspace_id and etag")
        else:
            await self._profiles.delete_all(user_id)
        return pb.DeleteProfileResponse()

    async def DeleteWorkspaceProfiles(
        self, request: pb.DeleteWorkspaceProfilesRequest, context: Any
    ) -> pb.DeleteWorkspaceProfilesResponse:
        await self._profiles.delete_in(request.workspace_id)
        return pb.DeleteWorkspaceProfilesResponse()

    async def GetProfiles(
        self, request: pb.GetProfilesRequest, context: Any
    ) -> pb.GetProfilesResponse:
        user_ids = [UserId(it) for it in request.user_ids]
        found = await self._profiles.of(user_ids, request.workspace_id, everything=request.all)
        kept_for = Duration(seconds=int(self._known.lasts_s))
        return pb.GetProfilesResponse(profiles=map(profile_message, found), kept_for=kept_for)

    async def _whose(self, named: str) -> UserId:
        return await whose(current_principal(), named, self._users)
