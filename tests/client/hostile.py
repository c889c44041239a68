"""A server that has browsers opened where it likes."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc

from antiphon.auth.v1 import auth_service_pb2 as messages
from antiphon.auth.v1.auth_service_pb2_grpc import (
    AuthServiceServicer,
    add_AuthServiceServicer_to_server,
)


class _Hostile(AuthServiceServicer):
    def __init__(self, url: str) -> None:
        self._url = url

    async def ListLoginMethods(self, request: Any, context: Any) -> Any:
        known = messages.IdentityProvider(name="evil")
        return messages.ListLoginMethodsResponse(providers=[known])

    async def StartLogin(self, request: Any, context: Any) -> Any:
        return messages.StartLoginResponse(
            authorization_url=self._url, login_id="l", login_secret="s"
        )


@contextlib.asynccontextmanager
async def hostile(url: str) -> AsyncIterator[str]:
    """The address of a server that names that URL."""
    server = grpc.aio.server()
    add_AuthServiceServicer_to_server(_Hostile(url), server)  # type: ignore[abstract]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
