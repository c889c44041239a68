"""Login, Refresh and Logout: the calls that need no token, or end one."""

import platform

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.auth.v1 import auth_pb2, auth_service_pb2
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_client.credentials import ApiKey, Password, Tokens
from antiphon_client.status import error_of_rpc

_LOGIN_S = 30.0
_LOGOUT_S = 2.0


class TokenExchange:
    """Buys tokens from the auth service. Errors: those of the RPCs, as AntiphonError."""

    def __init__(self, channel: grpc.aio.Channel, device: str) -> None:
        self._auth = AuthServiceStub(channel)
        self._device = f"{device} on {platform.node()}"[:128]

    async def login(self, credentials: ApiKey | Password) -> Tokens:
        """Open a session."""
        request = auth_service_pb2.LoginRequest(device=self._device)
        if isinstance(credentials, ApiKey):
            request.api_key.api_key = credentials.secret
        else:
            request.password.name = credentials.name
            request.password.password = credentials.password
        try:
            response = await self._auth.Login(request, timeout=_LOGIN_S)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None
        return tokens_of(response.tokens)

    async def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a session's newest refresh token for its next tokens."""
        request = auth_service_pb2.RefreshRequest(refresh_token=refresh_token)
        try:
            response = await self._auth.Refresh(request, timeout=_LOGIN_S)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None
        return tokens_of(response.tokens)

    async def logout(self, access_token: str) -> None:
        """End the session, if the server can be reached within 2 s."""
        metadata = (("authorization", f"Bearer {access_token}"),)
        request = auth_service_pb2.LogoutRequest()
        try:
            await self._auth.Logout(request, metadata=metadata, timeout=_LOGOUT_S)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None


def tokens_of(pair: auth_pb2.TokenPair) -> Tokens:
    """A session's tokens, from their message."""
    return Tokens(
        access_token=pair.access_token,
        access_expires_at=_seconds(pair.access_expire_time),
        refresh_token=pair.refresh_token,
        refresh_expires_at=_seconds(pair.refresh_expire_time),
        session_id=pair.session_id,
    )


def _seconds(time: Timestamp) -> float:
    return float(time.seconds + time.nanos / 1e9)
