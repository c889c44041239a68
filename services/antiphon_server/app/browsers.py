"""What browsers need: the pages, and Envoy, which speaks grpc-web before the port."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.auth.v1.auth_service_pb2 import LoginRequest
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_server.app.wiring import Services
from antiphon_server.auth.service.local_operator import LABEL
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.settings import Settings
from antiphon_server.web.compose import LOOPBACK, serve_pages
from antiphon_server.web.links import Links

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

LOG_FILE = "envoy.log"
_LOGIN_S = 10.0
_NOT_FOR_OTHERS = (
    "the pages of --web are for this machine: leave --host and --tls-cert, and for others let a "
    "proxy that speaks TLS stand before them, or the edge of `antiphon mesh`"
)


async def open_pages(
    services: Services, settings: Settings, lifecycle: Lifecycle, port: int
) -> int:
    """Serve the pages, and the RPCs of ``port`` beside them; return where.

    Raises WrongSetting, NoPages, CannotListen, EnvoyMissing, EnvoyDidNotStart.
    """
    from antiphon_server.mesh.compose import edge_before

    if not settings.on_loopback or settings.tls is not None:
        raise WrongSetting(_NOT_FOR_OTHERS)
    auth: AuthServiceAsyncStub = AuthServiceStub(services.table.channel())
    sign_in = LinkSignIn(auth, settings.data_dir / LABEL) if settings.has_links else None
    inner = Address(LOOPBACK, await serve_pages(lifecycle, sign_in))
    edge = Edge(Address(settings.host, settings.web_port), pages=inner)
    envoy = edge_before(Address(settings.host, port), edge, settings.data_dir / LOG_FILE)
    return await envoy.serve(lifecycle)


class LinkSignIn:
    """Signs the local operator in who brings a link, as commands of theirs do: by their key."""

    def __init__(self, auth: "AuthServiceAsyncStub", key_file: Path) -> None:
        self._auth = auth
        self._key_file = key_file
        self._links = Links()

    async def __call__(self, link: str) -> Mapping[str, str | int] | None:
        """The tokens as the page keeps them; None if the link is no good."""
        try:
            key = (await asyncio.to_thread(self._key_file.read_text)).strip()
        except OSError:
            return None
        if not self._links.redeem(link, key):
            return None
        request = LoginRequest(device="web page, by a link")
        request.api_key.api_key = key
        tokens = (await self._auth.Login(request, timeout=_LOGIN_S)).tokens
        return {
            "accessToken": tokens.access_token,
            "accessExpiresAt": tokens.access_expire_time.ToMilliseconds(),
            "refreshToken": tokens.refresh_token,
            "sessionId": tokens.session_id,
        }
