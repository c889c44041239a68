"""How calls of a connection are signed, for each kind of credential."""

from collections.abc import Generator

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata
from pydantic import AnyUrl

from antiphon_server.integration.connections.mcp.adapters.granted import Kept, Shared
from antiphon_server.integration.connections.mcp.model import (
    Bearer,
    ClientCredentials,
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
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class Browser:
    """Has a person consent, and takes the code from where that person was sent back."""

    def __init__(self, consent: Consent | None) -> None:
        self._consent, self._back = consent, ""

    async def redirect(self, url: str) -> None:
        """Show the page of consent. Raises DomainError CONNECTION_UNAVAILABLE without a person."""
        if self._consent is None:
            raise DomainError(Reason.CONNECTION_UNAVAILABLE, state="UNAUTHORIZED")
        self._back = await self._consent.ask(url)

    async def code(self) -> AuthorizationCodeResult:
        """What came back; the provider checks state and issuer."""
        given = httpx2.URL(self._back).params
        return AuthorizationCodeResult(
            code=given.get("code", ""), state=given.get("state"), iss=given.get("iss")
        )


def signing(target: Endpoint, outside: Outside) -> httpx2.Auth | None:
    """What signs the requests to it."""
    kept = Kept(outside.tokens)
    match target.credential:
        case Bearer(token=token):
            return Fixed(token)
        case OAuth() as credential:
            return Shared(_of_a_person(target.url, credential, kept, outside), kept)
        case ClientCredentials() as credential:
            return Shared(_of_a_program(target.url, credential, kept), kept)
        case None:
            return None


def _of_a_person(url: str, credential: OAuth, kept: Kept, outside: Outside) -> OAuthClientProvider:
    browser = Browser(outside.consent)
    redirects = [AnyUrl(credential.redirect_uri)]
    metadata = OAuthClientMetadata(client_name="Antiphon", redirect_uris=redirects)
    if credential.client_id:
        secret = credential.client_secret or None
        kept.known = OAuthClientInformationFull(
            client_id=credential.client_id,
            client_secret=secret,
            redirect_uris=redirects,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            issuer=credential.issuer or None,
        )
    return OAuthClientProvider(
        url,
        metadata,
        kept,
        redirect_handler=browser.redirect,
        callback_handler=browser.code,
        client_metadata_url=credential.metadata_url or None,
    )


def _of_a_program(url: str, credential: ClientCredentials, kept: Kept) -> OAuthClientProvider:
    if not credential.private_key_pem:
        return ClientCredentialsOAuthProvider(
            url,
            kept,
            credential.client_id,
            credential.client_secret,
            issuer=credential.issuer or None,
        )
    signed = SignedJWTParameters(
        issuer=credential.client_id,
        subject=credential.client_id,
        signing_key=credential.private_key_pem,
        signing_algorithm=credential.algorithm,
    )
    return PrivateKeyJWTOAuthProvider(
        url,
        kept,
        credential.client_id,
        signed.create_assertion_provider(),
        issuer=credential.issuer or None,
    )
