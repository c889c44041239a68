"""Signing in at an identity provider, in a browser."""

import platform
from types import TracebackType
from typing import TYPE_CHECKING, Self

import grpc

from antiphon.auth.v1 import auth_service_pb2 as messages
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_client.address import open_channel
from antiphon_client.browser_url import check_browser_url
from antiphon_client.credentials import Tokens
from antiphon_client.status import error_of_rpc
from antiphon_client.tls import Tls
from antiphon_client.token_exchange import tokens_of

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

_DEADLINE_S = 30.0


class ProviderLogin:
    """Begins and ends a login at an identity provider: an async context manager.

    Between the two the caller sends a browser to the answer's ``authorization_url`` and waits
    for it at the redirect URI. Errors: those of the RPCs, as AntiphonError.
    """

    def __init__(
        self, address: str, *, device: str = "antiphon_client", tls: Tls | None = None
    ) -> None:
        self._channel = open_channel(address, tls)
        self._auth: AuthServiceAsyncStub = AuthServiceStub(self._channel)
        self._device = f"{device} on {platform.node()}"[:128]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._channel.close()

    async def methods(self) -> messages.ListLoginMethodsResponse:
        """How one can sign in there, and at which providers."""
        request = messages.ListLoginMethodsRequest()
        try:
            return await self._auth.ListLoginMethods(request, timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None

    async def start(self, provider: str, redirect_uri: str) -> messages.StartLoginResponse:
        """Begin; an empty provider means the only one.

        A server that answers with anything but a page on the web (https) is refused.
        """
        request = messages.StartLoginRequest(provider=provider, redirect_uri=redirect_uri)
        try:
            started = await self._auth.StartLogin(request, timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None
        check_browser_url(started.authorization_url)
        return started

    async def finish(
        self, started: messages.StartLoginResponse, code: str, state: str, issuer: str = ""
    ) -> Tokens:
        """End it with the redirect's parameters ``code``, ``state`` and, if any, ``iss``."""
        request = messages.LoginRequest(device=self._device)
        request.authorization_code.login_id = started.login_id
        request.authorization_code.login_secret = started.login_secret
        request.authorization_code.code = code
        request.authorization_code.state = state
        request.authorization_code.issuer = issuer
        try:
            return tokens_of((await self._auth.Login(request, timeout=_DEADLINE_S)).tokens)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None
