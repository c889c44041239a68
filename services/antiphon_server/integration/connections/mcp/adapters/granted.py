"""Tokens that outlive a process, and one refresh for all who wait.

The SDK's providers forget when a token expires and at whose endpoint it is refreshed, ask a person
again at each 401, and hold their lock while an answer streams. ``Shared`` stands before one of
them: it sends with what was granted, and lets the provider act only where that was refused.
"""

import asyncio
import time
from collections.abc import AsyncGenerator

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.utils import extract_field_from_www_auth
from mcp.shared.auth import (
    OAuthClientInformationFull,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)
from pydantic import BaseModel

from antiphon_server.integration.connections.mcp.ports import TokenStore

EARLY_S = 10.0
"""So long before it expires a token is renewed."""


class Granted(BaseModel):
    """What is kept."""

    tokens: OAuthToken | None = None
    expires_at: float | None = None
    client: OAuthClientInformationFull | None = None
    server: OAuthMetadata | None = None
    resource: ProtectedResourceMetadata | None = None


class Kept:
    """The SDK's storage, on a port that knows one secret."""

    def __init__(self, store: TokenStore | None) -> None:
        self._store = store
        self.granted = Granted()
        self.known: OAuthClientInformationFull | None = None
        """How this client is known without asking."""

    async def load(self) -> None:
        """Read what was kept."""
        found = await self._store.load() if self._store else None
        if found:
            self.granted = Granted.model_validate_json(found)

    async def save(self) -> None:
        """Keep what there is now."""
        if self._store:
            await self._store.save(self.granted.model_dump_json(exclude_none=True))

    async def get_tokens(self) -> OAuthToken | None:
        """The last ones."""
        return self.granted.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep them, with the time at which they expire."""
        self.granted.tokens = tokens
        lasts = tokens.expires_in
        self.granted.expires_at = None if lasts is None else time.time() + int(lasts) - EARLY_S
        await self.save()

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """How this client is known."""
        return self.known or self.granted.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep it."""
        self.granted.client = client_info
        await self.save()


class Shared(httpx2.Auth):
    """Sends with what was granted; of all requests that are refused at once, one asks again."""

    def __init__(self, provider: OAuthClientProvider, kept: Kept) -> None:
        self._provider, self._kept = provider, kept
        self._lock, self._loaded = asyncio.Lock(), False

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send; where that is refused, let one flow mend it for all."""
        sent = await self._token()
        _sign(request, sent)
        response = yield request
        if not _refused(response):
            return
        await response.aread()
        async with self._lock:
            if self._access() != sent:
                _sign(request, self._access())
                yield request
                return
            if response.status_code == 401:
                self._provider.context.token_expiry_time = 1.0  # so that it is refreshed first
            flow = self._provider.async_auth_flow(request)
            try:
                outgoing = await anext(flow)
                answer = response if outgoing is request else (yield outgoing)
                while True:
                    outgoing = await flow.asend(answer)
                    answer = yield outgoing
            except StopAsyncIteration:
                return
            finally:
                await flow.aclose()
                await self._keep()

    async def _token(self) -> str | None:
        async with self._lock:
            if not self._loaded:
                await self._load()
            return self._access()

    async def _load(self) -> None:
        await self._kept.load()
        granted, context = self._kept.granted, self._provider.context
        await self._provider._initialize()
        context.token_expiry_time = granted.expires_at
        context.oauth_metadata = granted.server
        context.protected_resource_metadata = granted.resource
        if granted.resource and granted.resource.authorization_servers:
            context.auth_server_url = str(granted.resource.authorization_servers[0])
        self._loaded = True

    async def _keep(self) -> None:
        context, granted = self._provider.context, self._kept.granted
        granted.server = context.oauth_metadata
        granted.resource = context.protected_resource_metadata
        await self._kept.save()

    def _access(self) -> str | None:
        tokens = self._provider.context.current_tokens
        return tokens.access_token if tokens else None


def _sign(request: httpx2.Request, token: str | None) -> None:
    if token:
        request.headers["Authorization"] = f"Bearer {token}"


def _refused(response: httpx2.Response) -> bool:
    if response.status_code == 403:
        return extract_field_from_www_auth(response, "error") == "insufficient_scope"
    return response.status_code == 401
