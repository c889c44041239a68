"""A real MCP server behind a real authorization server: both are the SDK's, on this machine.

Its refresh tokens rotate; one that comes a second time ends the whole grant (RFC 9700, 4.14.2).
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    IdentityAssertionParams,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

from tests.proofs.bench.processes import free_port

SCOPE = "notes"


class Issuer:
    """See the SDK's OAuthAuthorizationServerProvider: consents at once, and counts."""

    def __init__(self, url: str, lasts_s: int) -> None:
        self.url, self.lasts_s = url, lasts_s
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.asked: list[AuthorizationParams] = []
        self.codes: dict[str, AuthorizationCode] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.used: set[str] = set()
        self.tokens: dict[str, AccessToken] = {}
        self.refreshed, self.reused = 0, 0

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(
        self, client: OAuthClientInformationFull, params: AuthorizationParams
    ) -> str:
        self.asked.append(params)
        code = AuthorizationCode(
            code=secrets.token_urlsafe(),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=True,
            resource=params.resource,
        )
        self.codes[code.code] = code
        redirect = str(params.redirect_uri)
        return construct_redirect_uri(redirect, code=code.code, state=params.state, iss=self.url)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self.codes[authorization_code.code]
        given = authorization_code
        return self._granted(client.client_id, given.scopes, given.resource)

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> RefreshToken | None:
        if refresh_token in self.used:
            self.reused += 1
            self.end()
        return self.refresh_tokens.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        if self.refresh_tokens.pop(refresh_token.token, None) is None:
            raise TokenError("invalid_grant")
        self.refreshed += 1
        self.used.add(refresh_token.token)
        return self._granted(client.client_id, scopes, refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.tokens.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.tokens.pop(token.token, None)

    async def exchange_identity_assertion(
        self, client: OAuthClientInformationFull, params: IdentityAssertionParams
    ) -> OAuthToken:
        raise TokenError("unsupported_grant_type")

    def expire(self) -> None:
        """All access tokens end before their time; they can be renewed."""
        self.tokens.clear()

    def end(self) -> None:
        """The grant is over."""
        self.tokens.clear()
        self.refresh_tokens.clear()

    def _granted(self, client_id: str, scopes: list[str], resource: str | None) -> OAuthToken:
        access, refresh = secrets.token_urlsafe(), secrets.token_urlsafe()
        until = int(time.time()) + self.lasts_s
        kept = {"client_id": client_id, "scopes": scopes, "resource": resource}
        self.tokens[access] = AccessToken(token=access, expires_at=until, **kept)  # type: ignore[arg-type]
        self.refresh_tokens[refresh] = RefreshToken(token=refresh, **kept)  # type: ignore[arg-type]
        return OAuthToken(
            access_token=access,
            expires_in=self.lasts_s,
            scope=" ".join(scopes),
            refresh_token=refresh,
        )


@asynccontextmanager
async def authorized_mcp(lasts_s: int = 3600) -> AsyncIterator[Issuer]:
    """Run one on a free port: its endpoint is ``issuer.url`` with `/mcp`."""
    port = free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}", lasts_s)
    server = MCPServer(
        "notes",
        auth_server_provider=issuer,
        auth=AuthSettings(
            issuer_url=issuer.url,  # type: ignore[arg-type]  # a URL would end with a slash
            resource_server_url=f"{issuer.url}/mcp",  # type: ignore[arg-type]
            required_scopes=[SCOPE],
            validate_token_resource=True,
            client_registration_options=ClientRegistrationOptions(
                enabled=True, valid_scopes=[SCOPE], default_scopes=[SCOPE]
            ),
        ),
    )

    @server.tool()
    def note(text: str) -> str:
        """Take a note."""
        return f"noted: {text}"

    config = uvicorn.Config(server.streamable_http_app(), port=port, log_level="warning")
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield issuer
    finally:
        running.should_exit = True
        await task
