"""How calls of a connection are signed, for each kind of credential."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import TypeAlias

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.auth.utils import extract_field_from_www_auth, extract_scope_from_www_auth

from antiphon_server.integration.connections.mcp.adapters.authorizing import begin, complete
from antiphon_server.integration.connections.mcp.adapters.exchange import (
    exchanging,
    explained,
    failed,
)
from antiphon_server.integration.connections.mcp.adapters.granted import Nowhere
from antiphon_server.integration.connections.mcp.adapters.renewal import Grant
from antiphon_server.integration.connections.mcp.model import (
    Bearer,
    ClientCredentials,
    Config,
    Endpoint,
    OAuth,
)
from antiphon_server.integration.connections.mcp.ports import Consent, Outside
from antiphon_server.runtime.errors.domain_error import DomainError, Reason


class Fixed(httpx2.Auth):
    """A token that is sent as it is."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        """Sign it."""
        _sign(request, self._token)
        yield request

    async def close(self, seconds: float) -> None:
        """Nothing waits."""


class OfAPerson(httpx2.Auth):
    """Sends with what a person has granted; of all that are refused at once, one mends it.

    Without ``consent`` nobody is asked: AUTHORIZATION_REQUIRED, before anything is sent if nothing
    was granted.
    """

    def __init__(self, name: str, grant: Grant, consent: Consent | None) -> None:
        self._name, self._grant, self._consent = name, grant, consent
        self._lock = asyncio.Lock()

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send; where that is refused, mend it and send once more."""
        sent = await self._token(None)
        _sign(request, sent)
        response = yield request
        if not _refused(response):
            return
        await response.aread()
        _sign(request, await self._mended(request, response, sent))
        response = yield request
        if _refused(response) and self._consent is None:
            raise self._grant.required

    async def close(self, seconds: float) -> None:
        """Let a renewal that runs end."""
        await self._grant.close(seconds)

    async def _token(self, refused: str | None) -> str | None:
        try:
            return await self._grant.token(refused)
        except DomainError as error:
            if self._consent is None or error.reason is not Reason.AUTHORIZATION_REQUIRED:
                raise
            return None

    async def _mended(
        self, request: httpx2.Request, response: httpx2.Response, sent: str | None
    ) -> str:
        """Another token. Raises DomainError AUTHORIZATION_REQUIRED."""
        if response.status_code == 401 and (renewed := await self._token(sent)):
            return renewed
        if self._consent is None:
            await self._grant.want(extract_scope_from_www_auth(response))
            raise self._grant.required
        async with self._lock:
            known = self._grant.granted.access
            if known and known != sent:
                return known
            return await self._consented(self._consent, request, response)

    async def _consented(
        self, consent: Consent, request: httpx2.Request, response: httpx2.Response
    ) -> str:
        grant, url = self._grant, self._grant.url
        credential, before = grant.credential, grant.granted
        async with exchanging(url, grant.outside) as send:
            with explained(self._name):
                begun = await begin(url, credential, before, (request, response), send)
            back = httpx2.URL(await consent.ask(begun.url)).params
            if back.get("state") != begun.state or not back.get("code"):
                raise failed(self._name, "the browser came back with nothing that belongs to it")
            endpoint, code, issuer = Endpoint(url, credential), back["code"], back.get("iss", "")
            with explained(self._name):
                granted = await complete(endpoint, begun.pending, code, issuer, send)
        await grant.put(granted)
        assert granted.tokens is not None
        return granted.tokens.access_token


class OfAProgram(httpx2.Auth):
    """Sends with the last token; of all requests that are refused at once, one asks again."""

    def __init__(self, provider: OAuthClientProvider) -> None:
        self._provider, self._lock = provider, asyncio.Lock()

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send; where that is refused, let one flow mend it for all."""
        _sign(request, sent := self._access())
        response = yield request
        if not _refused(response):
            return
        await response.aread()
        async with self._lock:
            if self._access() != sent:
                _sign(request, self._access())
                yield request
                return
            flow = self._provider.async_auth_flow(request)
            try:
                outgoing = await anext(flow)
                answer = response if outgoing is request else (yield outgoing)
                while True:
                    answer = yield await flow.asend(answer)
            except StopAsyncIteration:
                return
            finally:
                await flow.aclose()

    async def close(self, seconds: float) -> None:
        """Nothing waits: its token can be had again at any time."""

    def _access(self) -> str | None:
        tokens = self._provider.context.current_tokens
        return tokens.access_token if tokens else None


Signing: TypeAlias = Fixed | OfAPerson | OfAProgram


def signing(config: Config, outside: Outside) -> Signing | None:
    """What signs the requests of a connection."""
    if not isinstance(target := config.target, Endpoint):
        return None
    match target.credential:
        case Bearer(token=token):
            return Fixed(token)
        case OAuth() as credential:
            grant = Grant(config.name, target.url, credential, outside)
            return OfAPerson(config.name, grant, outside.consent)
        case ClientCredentials() as credential:
            return OfAProgram(_of_a_program(target.url, credential))
        case None:
            return None


def _of_a_program(url: str, credential: ClientCredentials) -> OAuthClientProvider:
    issuer = credential.issuer or None
    if not credential.private_key_pem:
        name, secret = credential.client_id, credential.client_secret
        return ClientCredentialsOAuthProvider(url, Nowhere(), name, secret, issuer=issuer)
    signed = SignedJWTParameters(
        issuer=credential.client_id,
        subject=credential.client_id,
        signing_key=credential.private_key_pem,
        signing_algorithm=credential.algorithm,
    )
    prove = signed.create_assertion_provider()
    return PrivateKeyJWTOAuthProvider(url, Nowhere(), credential.client_id, prove, issuer=issuer)


def _sign(request: httpx2.Request, token: str | None) -> None:
    if token:
        request.headers["Authorization"] = f"Bearer {token}"


def _refused(response: httpx2.Response) -> bool:
    if response.status_code == 403:
        return extract_field_from_www_auth(response, "error") == "insufficient_scope"
    return response.status_code == 401
