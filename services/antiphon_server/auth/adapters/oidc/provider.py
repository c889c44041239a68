"""One OpenID Connect provider: the authorization code flow with PKCE, and ID tokens."""

import hashlib
import logging
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlencode

from antiphon_server.auth.adapters.oidc.guard import Guard
from antiphon_server.auth.adapters.oidc.publications import Publications
from antiphon_server.auth.adapters.oidc.token_endpoint import exchange
from antiphon_server.auth.model import SECOND
from antiphon_server.auth.model.identities import Handshake, ProviderName, Vouched
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.model.urls import is_loopback_redirect
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.identity_providers import (
    ClientRefused,
    LeftAlone,
    ProviderWire,
    Unanswered,
)
from antiphon_server.auth.service.id_tokens import (
    LEEWAY_S,
    Expected,
    Wrong,
    check_claims,
    read_claims,
    read_header,
)
from antiphon_server.auth.service.issuers import issuer_rules
from antiphon_server.auth.service.single_use import SingleUse
from antiphon_server.runtime.concurrency.breaker import Breaker, Limits, State
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.encoding import base64url
from antiphon_server.runtime.errors import DomainError, Reason

log = logging.getLogger(__name__)
_RETRY_AFTER = 5.0
_LONGEST_S = 366 * 24 * 3600.0
"""How long a used token is remembered at most, whatever it says of its end."""
_NAMES = ("preferred_username", "email", "name")


class OidcProvider:
    """An :class:`~antiphon_server.auth.ports.identity_providers.IdentityProvider`."""

    def __init__(
        self,
        settings: IdentityProviderSettings,
        wire: ProviderWire,
        completion: Completion,
        single_use: SingleUse,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._settings = settings
        self._wire = wire
        self._single_use = single_use
        self._clock = clock
        self._rules = issuer_rules(settings)
        self._guard = Guard(settings.provider_name, limits)
        self._published = Publications(settings, wire, self._guard, completion, clock)

    @property
    def name(self) -> ProviderName:
        return self._settings.provider_name

    @property
    def display_name(self) -> str:
        return self._settings.display_name or self._settings.name

    @property
    def issuer(self) -> str:
        return self._settings.issuer

    @property
    def sign_up(self) -> bool:
        return self._settings.sign_up

    @property
    def breaker(self) -> Breaker:
        return self._guard.breaker

    def on_turn(self, listener: Callable[[], None]) -> None:
        self._guard.on_turn(listener)

    def allows_redirect(self, uri: str) -> bool:
        return uri in self._settings.redirect_uris or is_loopback_redirect(uri)

    def issuer_for(self, issuer: str) -> str | None:
        named = issuer or self._settings.issuer
        return named if self._rules.accepts(named) else None

    async def authorization_url(self, handshake: Handshake) -> str:
        try:
            metadata = await self._published.reachable()
        except Unanswered as error:
            self._unavailable(error)
        challenge = hashlib.sha256(handshake.verifier.encode()).digest()
        question = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": handshake.redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": handshake.state,
            "nonce": handshake.nonce,
            "code_challenge": base64url.encoded(challenge),
            "code_challenge_method": "S256",
        }
        where = metadata.authorization_endpoint
        return f"{where}{'&' if '?' in where else '?'}{urlencode(question)}"

    async def redeem(self, handshake: Handshake, code: str, issuer: str) -> Vouched:
        try:
            self._guard.check()
            metadata = await self._published.metadata()
            supported = metadata.authorization_response_iss_parameter_supported
            if not self._rules.accepts(issuer) and (issuer or supported):
                raise Wrong("issuer")
            with self._guard.call():
                answer = await exchange(self._settings, metadata, self._wire, handshake, code)
            vouched, _ = await self._vouched(*_expected(self._settings, handshake, code, answer))
            return vouched
        except Unanswered as error:
            self._unavailable(error)
        except Wrong as error:
            self._refuse(error)

    async def verify(self, id_token: str, nonce: str) -> Vouched:
        audiences = frozenset({self._settings.client_id, *self._settings.audiences})
        try:
            vouched, expires = await self._vouched(id_token, Expected(audiences, nonce or None))
            # Signatures may be written in several ways, what they sign in one.
            if not await self._single_use.first("ID token", id_token.rpartition(".")[0], expires):
                raise Wrong("replay")
            return vouched
        except Unanswered as error:
            self._unavailable(error)
        except Wrong as error:
            self._refuse(error)

    async def _vouched(self, token: str, expected: Expected) -> tuple[Vouched, int]:
        """Whom the token is about, and until when it has to be remembered."""
        header = read_header(token)
        metadata = await self._published.metadata()
        if header.algorithm not in metadata.id_token_signing_alg_values_supported:
            raise Wrong("algorithm")
        keys = await self._published.keys(
            lambda known: known.find(header.kid, header.algorithm) is not None
        )
        claims, key = read_claims(token, header, keys)
        issuer, subject = self._rules.subject(claims, key)
        now = self._clock()
        check_claims(claims, header, expected, now)
        names = tuple(filter(None, (_text(claims, name) for name in _NAMES)))
        vouched = Vouched(self.name, issuer, subject, names, _text(claims, "name"))
        expires = min(claims["exp"] + LEEWAY_S, now + _LONGEST_S)
        return vouched, int(expires * SECOND) + SECOND

    def _unavailable(self, error: Unanswered) -> NoReturn:
        name = self._settings.name
        if not isinstance(error, LeftAlone):  # its log line is that of the breaker
            log.warning("the identity provider %s does not do its part: %s", name, error)
        if isinstance(error, ClientRefused):
            raise DomainError(
                Reason.PROVIDER_REFUSES_CLIENT, provider=name, error=error.error
            ) from error
        breaker = self.breaker
        wait = error.retry_after_s or breaker.retry_after_s or _RETRY_AFTER
        refused = DomainError(Reason.PROVIDER_UNAVAILABLE, provider=name, retry_after=wait)
        if breaker.state is not State.CLOSED:
            refused.metadata["breaker"] = breaker.state.name
        raise refused from error

    def _refuse(self, error: Wrong) -> NoReturn:
        raise DomainError(
            Reason.PROVIDER_ANSWER_INVALID, provider=self._settings.name, check=error.check
        ) from error


def _expected(
    settings: IdentityProviderSettings, handshake: Handshake, code: str, answer: dict[str, Any]
) -> tuple[str, Expected]:
    """The ID token in the answer to a code, and what it has to say. Raises Wrong."""
    token, access_token = answer.get("id_token"), answer.get("access_token")
    if not isinstance(token, str) or not isinstance(access_token, str):
        raise Wrong("form")
    if not access_token.isascii():
        raise Wrong("form")
    hashed = {"at_hash": access_token, "c_hash": code}
    return token, Expected(frozenset({settings.client_id}), handshake.nonce, hashed)


def _text(claims: dict[str, Any], name: str) -> str:
    found = claims.get(name)
    return found if isinstance(found, str) else ""
