"""Who am I, sessions and API keys."""

from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING

from antiphon.auth.v1 import auth_service_pb2 as messages
from antiphon.auth.v1.access_pb2 import Scope
from antiphon.auth.v1.auth_pb2 import USER_KIND_PERSON, USER_KIND_PROGRAM, Session, User
from antiphon.auth.v1.auth_pb2 import ApiKey as ApiKeyInfo
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub


class Accounts:
    """The auth service. Errors: AntiphonError, as each RPC's comment says."""

    _auth: "AuthServiceAsyncStub"
    _caller: Caller

    async def who_am_i(self) -> messages.WhoAmIResponse:
        """The user and session behind the credentials."""
        return await self._caller.call(self._auth.WhoAmI, messages.WhoAmIRequest())

    def list_sessions(self, user_id: str = "") -> AsyncGenerator[Session]:
        """Live sessions, the newest first: the caller's, or for operators another user's."""

        async def fetch(page_token: str) -> messages.ListSessionsResponse:
            request = messages.ListSessionsRequest(page_token=page_token, user_id=user_id)
            return await self._caller.call(self._auth.ListSessions, request)

        return pages(fetch, lambda page: page.sessions)

    async def revoke_session(self, session_id: str) -> None:
        """End a session; its tokens and streams end with it."""
        request = messages.RevokeSessionRequest(session_id=session_id)
        await self._caller.call(self._auth.RevokeSession, request)

    async def revoke_all_sessions(
        self, user_id: str = "", *, api_keys: bool = False
    ) -> messages.RevokeAllSessionsResponse:
        """End the caller's other sessions, or for operators another user's; say how many.

        With ``api_keys`` these are revoked, too, but for the one that opened this session.
        """
        request = messages.RevokeAllSessionsRequest(user_id=user_id, api_keys=api_keys)
        return await self._caller.call(self._auth.RevokeAllSessions, request)

    async def create_user(
        self,
        name: str,
        password: str = "",
        *,
        display_name: str = "",
        operator: bool = False,
        program: bool = False,
    ) -> User:
        """Make an account, a person's or a program's; operators only."""
        request = messages.CreateUserRequest(
            name=name,
            password=password,
            display_name=display_name,
            operator=operator,
            kind=USER_KIND_PROGRAM if program else USER_KIND_PERSON,
        )
        return (await self._caller.call(self._auth.CreateUser, request)).user

    def list_users(self, name_prefix: str = "") -> AsyncGenerator[User]:
        """Accounts by name; operators only."""

        async def fetch(page_token: str) -> messages.ListUsersResponse:
            request = messages.ListUsersRequest(page_token=page_token, name_prefix=name_prefix)
            return await self._caller.call(self._auth.ListUsers, request)

        return pages(fetch, lambda page: page.users)

    async def create_api_key(self, label: str) -> str:
        """Make a key for the caller and return its secret, which can't be read again."""
        return (await self.new_api_key(label)).secret

    async def new_api_key(
        self,
        label: str,
        *,
        scopes: Iterable[Scope.ValueType] = (),
        days: int = 0,
        user_id: str = "",
    ) -> messages.CreateApiKeyResponse:
        """Make a key: limited to ``scopes`` if any, for so many days if any.

        Operators make keys for the program ``user_id``.
        """
        request = messages.CreateApiKeyRequest(label=label, scopes=scopes, user_id=user_id)
        if days:
            request.ttl.FromSeconds(days * 86_400)
        return await self._caller.call(self._auth.CreateApiKey, request)

    def list_api_keys(self, user_id: str = "") -> AsyncGenerator[ApiKeyInfo]:
        """Keys without their secrets, the newest first: the caller's, or for operators others'."""

        async def fetch(page_token: str) -> messages.ListApiKeysResponse:
            request = messages.ListApiKeysRequest(page_token=page_token, user_id=user_id)
            return await self._caller.call(self._auth.ListApiKeys, request)

        return pages(fetch, lambda page: page.api_keys)

    async def revoke_api_key(self, key_id: str) -> None:
        """Delete a key and those made with it; the sessions that they opened end, too."""
        request = messages.RevokeApiKeyRequest(key_id=key_id)
        await self._caller.call(self._auth.RevokeApiKey, request)

    async def rotate_signing_keys(self, *, compromised: bool = False) -> str:
        """Sign access tokens with a new key, and return its id; operators only.

        Tokens of older keys live out their time, or if those are compromised are refused.
        """
        request = messages.RotateSigningKeysRequest(compromised=compromised)
        return (await self._caller.call(self._auth.RotateSigningKeys, request)).kid
