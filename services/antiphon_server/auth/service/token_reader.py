"""Reading access tokens: EdDSA-signed JWTs (RFC 9068, RFC 8037, RFC 8725)."""

import re
from collections.abc import Callable
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.access.permissions import Scope
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
KEYS = "api_keys"
"""The claim of sessions that API keys opened."""
LONGEST_BYTES = 8 * 1024
# Without padding: one token has one spelling. 86 characters are 64 bytes.
_SHAPE = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{86}", re.ASCII)
_REQUIRED = ["iss", "aud", "sub", "sid", "kind", "operator", "iat", "exp", "jti"]


class VerificationKeys(Protocol):
    """The public keys of an installation, as far as this process knows them."""

    def verification_key(self, kid: object) -> Ed25519PublicKey | None:
        """The public key of that id while its tokens are accepted."""
        ...

    async def learn(self) -> None:
        """Look for a key that was made elsewhere."""
        ...

    def on_withdrawn(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a key stops being valid."""
        ...


class UnknownKey(DomainError):
    """The token names a key that this process does not know: a new one, or none of ours."""

    def __init__(self) -> None:
        super().__init__(Reason.TOKEN_INVALID)


class TokenReader:
    """Reads access tokens with public keys alone."""

    def __init__(self, keys: VerificationKeys, settings: TokenSettings) -> None:
        self._keys = keys
        self._settings = settings

    def read(self, token: str) -> Principal:
        """Who the token speaks for, though it may have expired.

        Raises DomainError TOKEN_INVALID for anything that this installation has
        not signed as an access token with a key that is valid now. Nothing that
        a token's header names is ever fetched.
        """
        if len(token) > LONGEST_BYTES or _SHAPE.fullmatch(token) is None:
            raise DomainError(Reason.TOKEN_INVALID)
        try:
            return _principal(self._verified(token))
        except (jwt.PyJWTError, KeyError) as error:
            raise DomainError(Reason.TOKEN_INVALID) from error

    def _verified(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        key = self._keys.verification_key(kid)
        # No other parameter is allowed: not jwk, jku, x5u, x5c or crit.
        if header != {"alg": ALGORITHM, "typ": TYPE, "kid": kid} or not isinstance(kid, str):
            raise jwt.InvalidTokenError
        if key is None:
            raise UnknownKey
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=self._settings.audience,
            issuer=self._settings.issuer,
            # Times are compared each time the token is used, by our own clock.
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
        return claims


def _scopes(claims: dict[str, Any]) -> frozenset[Scope] | None:
    """What a token is limited to; names that this version does not know grant nothing."""
    if "scope" not in claims:
        return None
    text = claims["scope"]
    if not isinstance(text, str):
        raise jwt.InvalidTokenError
    return frozenset(Scope[name] for name in text.upper().split() if name in Scope.__members__)


def _api_keys(claims: dict[str, Any]) -> tuple[str, ...]:
    found = claims.get(KEYS, [])
    if not isinstance(found, list) or not all(isinstance(it, str) for it in found):
        raise jwt.InvalidTokenError
    return tuple(found)


def _principal(claims: dict[str, Any]) -> Principal:
    kind, user_id, session_id = claims["kind"], claims["sub"], claims["sid"]
    operator, expires = claims["operator"], claims["exp"]
    shapes = isinstance(user_id, str) and isinstance(session_id, str) and type(expires) is int
    if kind not in ("user", "service") or not shapes or (kind == "user") != bool(session_id):
        raise jwt.InvalidTokenError
    return Principal(
        kind,
        UserId(user_id),
        SessionId(session_id),
        operator is True,
        expires,
        _scopes(claims),
        _api_keys(claims),
    )
