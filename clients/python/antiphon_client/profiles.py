"""Profiles: what users want to be known by."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.auth.v1 import profile_service_pb2 as messages
from antiphon.auth.v1.profile_pb2 import Profile
from antiphon_client.caller import Caller

if TYPE_CHECKING:
    from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceAsyncStub


class Profiles:
    """The caller's own profiles, or for operators anybody's: everywhere, or in one workspace.

    Errors: AntiphonError, as each RPC's comment says.
    """

    _profiles: "ProfileServiceAsyncStub"
    _caller: Caller

    async def get_profile(
        self, workspace_id: str = "", *, user_id: str = ""
    ) -> messages.GetProfileResponse:
        """What is set there, and what holds there."""
        request = messages.GetProfileRequest(user_id=user_id, workspace_id=workspace_id)
        return await self._caller.call(self._profiles.GetProfile, request)

    async def update_profile(
        self,
        workspace_id: str = "",
        *,
        locale: str | None = None,
        time_zone: str | None = None,
        call_name: str | None = None,
        preferences: Iterable[str] | None = None,
        fields: Mapping[str, str] | None = None,
        etag: str = "",
        user_id: str = "",
    ) -> Profile:
        """Set what is given, and take away what is given empty; the rest stays as it is.

        By its ``etag`` only if it still is as it was read.
        """
        wishes = {
            "locale": locale,
            "time_zone": time_zone,
            "call_name": call_name,
            "preferences": None if preferences is None else list(preferences),
            "fields": None if fields is None else dict(fields),
        }
        given = {name: value for name, value in wishes.items() if value is not None}
        request = messages.UpdateProfileRequest(
            user_id=user_id,
            workspace_id=workspace_id,
            etag=etag,
            update_mask=FieldMask(paths=given),
            **given,  # type: ignore[arg-type]
        )
        return (await self._caller.call(self._profiles.UpdateProfile, request)).profile

    async def delete_profile(
        self, workspace_id: str = "", *, etag: str = "", all: bool = False, user_id: str = ""
    ) -> None:
        """Take it away; with ``all`` what is set in any workspace, too."""
        request = messages.DeleteProfileRequest(
            user_id=user_id, workspace_id=workspace_id, etag=etag, all=all
        )
        await self._caller.call(self._profiles.DeleteProfile, request)
