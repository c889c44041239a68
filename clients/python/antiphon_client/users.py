"""Accounts, passwords, and devices that ask to be let in."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.auth.v1 import auth_service_pb2 as messages
from antiphon.auth.v1.auth_pb2 import Identity, User
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub


class Users:
    """What operators do with accounts, and people with their own. Errors: AntiphonError."""

    _auth: "AuthServiceAsyncStub"
    _caller: Caller

    def list_users(self, name_prefix: str = "") -> AsyncGenerator[User]:
        """Accounts by name; operators only."""

        async def fetch(page_token: str) -> messages.ListUsersResponse:
            request = messages.ListUsersRequest(page_token=page_token, name_prefix=name_prefix)
            return await self._caller.call(self._auth.ListUsers, request)

        return pages(fetch, lambda page: page.users)

    async def get_user(self, name: str) -> User:
        """The account of that name, or of that id; operators only."""
        by_id = name.startswith("user_")
        request = messages.GetUserRequest(**{"user_id" if by_id else "name": name})
        return (await self._caller.call(self._auth.GetUser, request)).user

    async def update_user(
        self,
        user_id: str,
        *,
        display_name: str | None = None,
        operator: bool | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Change what is given; operators only. To disable ends the user's sessions."""
        wishes = {"display_name": display_name, "operator": operator, "disabled": disabled}
        given = {name: value for name, value in wishes.items() if value is not None}
        request = messages.UpdateUserRequest(user_id=user_id, update_mask=FieldMask(paths=given))
        request.user.SetInParent()
        for name, value in given.items():
            setattr(request.user, name, value)
        return (await self._caller.call(self._auth.UpdateUser, request)).user

    async def link_identity(
        self, user_id: str, provider: str, subject: str, issuer: str = ""
    ) -> Identity:
        """Let an account at a provider sign the user in; operators only.

        An empty issuer means the provider's own; Entra's is that of the tenant.
        """
        request = messages.LinkIdentityRequest(
            user_id=user_id,
            provider=provider,
            issuer=issuer,
            subject=subject,
        )
        return (await self._caller.call(self._auth.LinkIdentity, request)).identity

    async def unlink_identity(self, issuer: str, subject: str) -> None:
        """Take that back; the user's sessions that providers opened end. Operators only."""
        request = messages.UnlinkIdentityRequest(issuer=issuer, subject=subject)
        await self._caller.call(self._auth.UnlinkIdentity, request)

    async def list_identities(self, user_id: str = "") -> list[Identity]:
        """The caller's identities, or for an operator a user's."""
        request = messages.ListIdentitiesRequest(user_id=user_id)
        return list((await self._caller.call(self._auth.ListIdentities, request)).identities)

    async def change_password(self, old_password: str, new_password: str) -> None:
        """Replace the caller's password; their other sessions end."""
        request = messages.ChangePasswordRequest(
            old_password=old_password, new_password=new_password
        )
        await self._caller.call(self._auth.ChangePassword, request)

    async def create_password_reset(
        self, user_id: str, *, api_keys: bool = False
    ) -> messages.CreatePasswordResetResponse:
        """A token with which somebody sets a password once; operators only.

        With ``api_keys`` its use revokes all keys of that person, too.
        """
        request = messages.CreatePasswordResetRequest(user_id=user_id, api_keys=api_keys)
        return await self._caller.call(self._auth.CreatePasswordReset, request)

    async def get_device_login(self, user_code: str) -> messages.GetDeviceLoginResponse:
        """The device that shows the code."""
        request = messages.GetDeviceLoginRequest(user_code=user_code)
        return await self._caller.call(self._auth.GetDeviceLogin, request)

    async def decide_device_login(self, user_code: str, approve: bool) -> None:
        """Let the device in as the caller, or refuse it."""
        request = messages.DecideDeviceLoginRequest(user_code=user_code, approve=approve)
        await self._caller.call(self._auth.DecideDeviceLogin, request)
