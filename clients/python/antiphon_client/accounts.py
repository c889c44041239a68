"""Who am I, sessions and API keys."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from antiphon.auth.v1 import auth_service_pb2 as messages
from antiphon.auth.v1.auth_pb2 import Session, User
from antiphon_client.caller import Caller, pages
from antiphon_client.ids import new_request_id

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub


class Accounts:
    """The auth service. Errors: AntiphonError, as each RPC's comment says."""

    _auth: "AuthServiceAsyncStub"
    _caller: Caller

    async def who_am_i(self) -> messages.WhoAmIResponse:
        """The user and session behind the credentials."""
        return await self._caller.call(self._auth.WhoAmI, messages.WhoAmIRequest())

    def list_sessions(self) -> AsyncGenerator[Session]:
        """The caller's live sessions, the newest first."""

        async def fetch(page_token: str) -> messages.ListSessionsResponse:
            request = messages.ListSessionsRequest(page_token=page_token)
            return await self._caller.call(self._auth.ListSessions, request)

        return pages(fetch, lambda page: page.sessions)

    async def revoke_session(self, session_id: str) -> None:
        """End a session; its tokens and streams end with it."""
        request = messages.RevokeSessionRequest(session_id=session_id)
        await self._caller.call(self._auth.RevokeSession, request)

    async def create_user(
        self, name: str, password: str = "", *, display_name: str = "", operator: bool = False
    ) -> User:
        """Make an account; operators only."""
        request = messages.CreateUserRequest(
            name=name,
            password=password,
            display_name=display_name,
            operator=operator,
            request_id=new_request_id(),
        )
        return (await self._caller.call(self._auth.CreateUser, request)).user

    async def create_api_key(self, label: str) -> str:
        """Make a key for the caller and return its secret, which can't be read again."""
        request = messages.CreateApiKeyRequest(label=label)
        return (await self._caller.call(self._auth.CreateApiKey, request)).secret
