"""A real MCP server behind a real authorization server: both are the SDK's, on this machine.

Its refresh tokens rotate; one that comes a second time ends the whole grant (RFC 9700, 4.14.2).
A client's id may be the URL of what it says of itself, where that was read.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
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
from mcp.server.auth.routes import build_metadata
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.proofs.bench.processes import free_port

SCOPE, MORE = "notes", "notes.write"
METHODS = ("client_secret_basic", "client_secret_post")
METADATA = "/.well-known/oauth-authorization-server"


class Issuer:
    """See the SDK's OAuthAuthorizationServerProvider: consents at once, and counts."""

    def __init__(self, url: str, lasts_s: int) -> None:
        self.url, self.lasts_s = url, lasts_s
        self.registers, self.reads_documents = True, False
        self.methods: Sequence[str] = METHODS
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.asked: list[AuthorizationParams] = []
        self.codes: dict[str, AuthorizationCode] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.used: set[str] = set()
        self.tokens: dict[str, AccessToken] = {}
        self.refreshed, self.reused = 0, 0
        self.wanted: set[str] = set()
        """Scopes without which no tool is called (``insufficient_scope``)."""

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


class _Stricter:
    """Before the SDK's application: asks for scopes of tools, and reads what clients say."""

    def __init__(self, app: ASGIApp, issuer: Issuer) -> None:
        self._app, self._issuer = app, issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/mcp" and self._lacks(Request(scope)):
            wanted = " ".join(sorted(self._issuer.wanted))
            told = f'Bearer error="insufficient_scope", scope="{wanted}"'
            refused = JSONResponse({}, status_code=403, headers={"WWW-Authenticate": told})
            await refused(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == METADATA:
            await JSONResponse(self._metadata())(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _lacks(self, request: Request) -> bool:
        token = self._issuer.tokens.get(request.headers.get("authorization", "")[len("Bearer ") :])
        calls = request.headers.get("mcp-method") == "tools/call"
        return calls and token is not None and not self._issuer.wanted <= set(token.scopes)

    def _metadata(self) -> dict[str, object]:
        """What the SDK says, and that clients may be named by a URL."""
        options = ClientRegistrationOptions(
            enabled=self._issuer.registers, valid_scopes=[SCOPE, MORE]
        )
        url = AnyHttpUrl(self._issuer.url)
        told = build_metadata(url, None, options, RevocationOptions())
        told.client_id_metadata_document_supported = bool(self._issuer.reads_documents)
        told.token_endpoint_auth_methods_supported = [*self._issuer.methods, "none"]
        return {**told.model_dump(mode="json", exclude_none=True), "issuer": self._issuer.url}


@asynccontextmanager
async def authorized_mcp(
    lasts_s: int = 3600,
    *,
    registers: bool = True,
    reads_documents: bool = False,
    methods: Sequence[str] = METHODS,
) -> AsyncIterator[Issuer]:
    """Run one on a free port: its endpoint is ``issuer.url`` with `/mcp`."""
    port = free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}", lasts_s)
    issuer.registers, issuer.reads_documents = registers, reads_documents
    issuer.methods = methods
    server = MCPServer(
        "notes",
        auth_server_provider=issuer,
        auth=AuthSettings(
            issuer_url=issuer.url,  # type: ignore[arg-type]  # a URL would end with a slash
            resource_server_url=f"{issuer.url}/mcp",  # type: ignore[arg-type]
            required_scopes=[SCOPE],
            validate_token_resource=True,
            client_registration_options=ClientRegistrationOptions(
                enabled=registers, valid_scopes=[SCOPE, MORE], default_scopes=[SCOPE]
            ),
        ),
    )

    @server.tool()
    def note(text: str) -> str:
        """Take a note."""
        return f"noted: {text}"

    app = _Stricter(server.streamable_http_app(), issuer)
    config = uvicorn.Config(app, port=port, log_level="warning")
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield issuer
    finally:
        running.should_exit = True
        await task
