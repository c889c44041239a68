"""AuthService: decode, call, encode."""

from typing import Any

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceServicer
from antiphon_server.auth import encoding
from antiphon_server.auth.model import KeyId, SignedIn
from antiphon_server.auth.service.api_keys import ApiKeys
from antiphon_server.auth.service.login import Login
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.auth.service.user_updates import UserUpdates
from antiphon_server.auth.service.users import Users
from antiphon_server.auth.servicers.users import UserRpcs
from antiphon_server.runtime.addresses import current_address
from antiphon_server.runtime.paging import page_limit
from antiphon_server.runtime.principal import SessionId, current_principal


class AuthServicer(UserRpcs, AuthServiceServicer):
    """The RPCs of ``antiphon.auth.v1.AuthService``."""

    def __init__(
        self,
        users: Users,
        user_updates: UserUpdates,
        login: Login,
        sessions: Sessions,
        api_keys: ApiKeys,
        signing_keys: SigningKeys,
    ) -> None:
        self._users = users
        self._user_updates = user_updates
        self._login = login
        self._sessions = sessions
        self._api_keys = api_keys
        self._signing_keys = signing_keys

    async def Login(self, request: pb.LoginRequest, context: Any) -> pb.LoginResponse:
        signed_in = await self._sign_in(request, current_address())
        return pb.LoginResponse(
            tokens=encoding.tokens(signed_in.tokens), user=encoding.user(signed_in.user)
        )

    async def _sign_in(self, request: pb.LoginRequest, address: str) -> SignedIn:
        if request.WhichOneof("credential") == "api_key":
            return await self._login.by_api_key(request.api_key.api_key, request.device)
        given = request.password
        return await self._login.by_password(given.name, given.password, request.device, address)

    async def Refresh(self, request: pb.RefreshRequest, context: Any) -> pb.RefreshResponse:
        pair = await self._sessions.refresh(request.refresh_token)
        return pb.RefreshResponse(tokens=encoding.tokens(pair))

    async def Logout(self, request: pb.LogoutRequest, context: Any) -> pb.LogoutResponse:
        caller = current_principal()
        await self._sessions.revoke(caller, caller.session_id)
        return pb.LogoutResponse()

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: Any) -> pb.WhoAmIResponse:
        caller = current_principal()
        user = await self._users.get(caller.user_id)
        session = await self._sessions.get(caller.session_id)
        return pb.WhoAmIResponse(
            user=encoding.user(user), session=encoding.session(session, caller.session_id)
        )

    async def ListSessions(
        self, request: pb.ListSessionsRequest, context: Any
    ) -> pb.ListSessionsResponse:
        caller, limit = current_principal(), page_limit(request.page_size)
        after = encoding.position(request.page_token, encoding.SESSIONS)
        page = await self._sessions.list_live(caller, after, limit)
        return pb.ListSessionsResponse(
            sessions=[encoding.session(one, caller.session_id) for one in page],
            next_page_token=encoding.next_sessions(page, limit),
        )

    async def RevokeSession(
        self, request: pb.RevokeSessionRequest, context: Any
    ) -> pb.RevokeSessionResponse:
        await self._sessions.revoke(current_principal(), SessionId(request.session_id))
        return pb.RevokeSessionResponse()

    async def CreateApiKey(
        self, request: pb.CreateApiKeyRequest, context: Any
    ) -> pb.CreateApiKeyResponse:
        owner = await self._users.get(current_principal().user_id)  # services have no keys
        ttl = encoding.ttl(request)
        key, secret = await self._api_keys.create(owner.user_id, request.label, ttl)
        return pb.CreateApiKeyResponse(api_key=encoding.api_key(key), secret=secret)

    async def ListApiKeys(
        self, request: pb.ListApiKeysRequest, context: Any
    ) -> pb.ListApiKeysResponse:
        owner, limit = current_principal().user_id, page_limit(request.page_size)
        after = encoding.position(request.page_token, encoding.API_KEYS)
        page = await self._api_keys.list_keys(owner, after, limit)
        return pb.ListApiKeysResponse(
            api_keys=[encoding.api_key(key) for key in page],
            next_page_token=encoding.next_api_keys(page, limit),
        )

    async def RevokeApiKey(
        self, request: pb.RevokeApiKeyRequest, context: Any
    ) -> pb.RevokeApiKeyResponse:
        await self._api_keys.revoke(current_principal().user_id, KeyId(request.key_id))
        return pb.RevokeApiKeyResponse()

    async def GetJwks(self, request: pb.GetJwksRequest, context: Any) -> pb.GetJwksResponse:
        return pb.GetJwksResponse(keys=encoding.web_keys(self._signing_keys.valid()))
