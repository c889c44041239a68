"""What a person has granted a connection, as it is kept, and the SDK's provider put upon it."""

import time
from typing import Any

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import (
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)
from pydantic import AnyUrl, BaseModel

from antiphon_server.integration.connections.mcp.model import OAuth

EARLY_S = 10.0
"""So long before it expires a token is renewed."""


class Granted(BaseModel):
    """What is kept: tokens, and by which client and from whom they are renewed."""

    tokens: OAuthToken | None = None
    expires_at: float | None = None
    client: OAuthClientInformationFull | None = None
    server: OAuthMetadata | None = None
    resource: ProtectedResourceMetadata | None = None
    revision: str | None = None
    """The revision of MCP by which they were asked for."""
    asked: str | None = None
    """The scopes that were asked for."""
    wanted: str | None = None
    """Scopes that were missing, which the next consent is asked for besides."""
    renewing_until: float = 0.0
    """Until then somebody renews the tokens, and others wait."""

    @property
    def access(self) -> str | None:
        """The access token, if it has not expired."""
        expired = self.expires_at is not None and self.expires_at <= time.time()
        return None if expired or self.tokens is None else self.tokens.access_token

    @property
    def renewable(self) -> bool:
        """Whether tokens can be had without a person."""
        return bool(self.client and self.tokens and self.tokens.refresh_token)


class Nowhere:
    """The SDK's storage; what its provider has is read from the provider itself."""

    async def get_tokens(self) -> OAuthToken | None:
        """None."""
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Leave them where they are."""

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """None."""
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Leave it where it is."""


class Page(httpx2.Request):
    """The request that a browser is to make: where the flow goes on with a person."""


class Provider(OAuthClientProvider):
    """The SDK's flow on what was granted; where it would ask a person it sends a :class:`Page`."""

    def __init__(
        self,
        url: str,
        credential: OAuth,
        granted: Granted,
        known: OAuthClientInformationFull | None,
    ) -> None:
        metadata = OAuthClientMetadata(
            client_name="Antiphon", redirect_uris=[AnyUrl(credential.redirect_uri)]
        )
        metadata_url = credential.metadata_url or None
        super().__init__(url, metadata, Nowhere(), client_metadata_url=metadata_url)
        self._initialized, self.page = True, Page("GET", url)
        context = self.context
        context.client_metadata.scope = granted.asked
        context.current_tokens, context.client_info = granted.tokens, known or granted.client
        context.oauth_metadata, context.protocol_version = granted.server, granted.revision
        context.protected_resource_metadata = granted.resource
        if granted.resource and granted.resource.authorization_servers:
            context.auth_server_url = str(granted.resource.authorization_servers[0])

    @property
    def granted(self) -> Granted:
        """What there is to keep now."""
        context = self.context
        tokens, expires = context.current_tokens, None
        if tokens is not None and tokens.expires_in is not None:
            lasts = int(tokens.expires_in)
            expires = time.time() + lasts - min(EARLY_S, lasts / 10)
        return Granted(
            tokens=tokens,
            expires_at=expires,
            client=context.client_info,
            server=context.oauth_metadata,
            resource=context.protected_resource_metadata,
            revision=context.protocol_version,
            asked=context.client_metadata.scope,
        )

    async def exchange(self, code: str, verifier: str) -> httpx2.Request:
        """The request that exchanges a code for tokens."""
        return await self._exchange_token_authorization_code(code, verifier)

    async def exchanged(self, response: httpx2.Response) -> None:
        """Take its answer. Raises OAuthTokenError."""
        await self._handle_token_response(response)

    async def refresh(self) -> httpx2.Request:
        """The request that renews the tokens."""
        return await self._refresh_token()

    async def refreshed(self, response: httpx2.Response) -> bool:
        """Take its answer; whether there are tokens now."""
        return await self._handle_refresh_response(response)

    async def _perform_authorization(self) -> httpx2.Request:
        return self.page


async def provider(url: str, credential: OAuth, granted: Granted) -> Provider:
    """The SDK's provider, with the client that the credential names, or that was registered."""
    return Provider(url, credential, granted, await _known(credential, granted.server))


async def _known(
    credential: OAuth, server: OAuthMetadata | None
) -> OAuthClientInformationFull | None:
    if not credential.client_id:
        return None
    secret = await credential.client_secret() if credential.client_secret else None
    named: dict[str, Any] = {"client_id": credential.client_id, "client_secret": secret}
    methods = (server and server.token_endpoint_auth_methods_supported) or ["client_secret_basic"]
    by_secret = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
    return OAuthClientInformationFull(
        **named,
        redirect_uris=[AnyUrl(credential.redirect_uri)],
        token_endpoint_auth_method=by_secret if secret else "none",
        issuer=credential.issuer or None,
    )
