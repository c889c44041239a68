"""Sessions: decode, call, encode."""

from typing import Any

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth import encoding
from antiphon_server.auth.servicers.rules import Rpcs
from antiphon_server.runtime.access.principal import SessionId, current_principal
from antiphon_server.runtime.rpc.paging import page_limit


class SessionRpcs(Rpcs):
    """Who one is, and where one is signed in."""

    async def Logout(self, request: pb.LogoutRequest, context: Any) -> pb.LogoutResponse:
        caller = current_principal()
        await self._rules.sessions.revoke(caller, caller.session_id)
        return pb.LogoutResponse()

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: Any) -> pb.WhoAmIResponse:
        caller = current_principal()
        user = await self._rules.users.get(caller.user_id)
        session = await self._rules.sessions.get(caller.session_id)
        return pb.WhoAmIResponse(
            user=encoding.user(user), session=encoding.session(session, caller.session_id)
        )

    async def ListSessions(
        self, request: pb.ListSessionsRequest, context: Any
    ) -> pb.ListSessionsResponse:
        caller, limit = current_principal(), page_limit(request.page_size)
        listed = encoding.sessions_of(request.user_id or caller.user_id)
        after = encoding.position(request.page_token, listed)
        page = await self._rules.sessions.list_live(caller, request.user_id, after, limit)
        return pb.ListSessionsResponse(
            sessions=[encoding.session(one, caller.session_id) for one in page],
            next_page_token=encoding.next_sessions(page, limit, listed),
        )

    async def RevokeSession(
        self, request: pb.RevokeSessionRequest, context: Any
    ) -> pb.RevokeSessionResponse:
        await self._rules.sessions.revoke(current_principal(), SessionId(request.session_id))
        return pb.RevokeSessionResponse()

    async def RevokeAllSessions(
        self, request: pb.RevokeAllSessionsRequest, context: Any
    ) -> pb.RevokeAllSessionsResponse:
        ended = await self._rules.sessions.revoke_all(
            current_principal(), request.user_id, api_keys=request.api_keys
        )
        return pb.RevokeAllSessionsResponse(
            revoked=len(ended.sessions),
            revoked_api_keys=len(ended.keys),
            remaining_api_keys=ended.keys_left,
        )
