"""Access tokens: EdDSA-signed JWTs (RFC 9068, RFC 8037, RFC 8725)."""

import re
from dataclasses import dataclass, field
from typing import Any

import jwt

from antiphon_server.auth.model import SECOND, Session
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.permissions import Scope
from antiphon_server.runtime.principal import Principal, SessionId, UserId

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
LONGEST_BYTES = 8 * 1024
# Without padding: one token has one spelling. 86 characters are 64 bytes.
_SHAPE = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{86}", re.ASCII)
_REQUIRED = ["iss", "aud", "sub", "sid", "kind", "operator", "iat", "exp", "jti"]


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Who issues tokens, for whom, and for how many seconds."""

    issuer: str = "antiphon"
    audience: str = "antiphon"
    user_seconds: int = 15 * 60
    service_seconds: int = 5 * 60

    @property
    def longest_life(self) -> int:
        """The longest life of any token, in seconds."""
        return max(self.user_seconds, self.service_seconds)


@dataclass(frozen=True, slots=True)
class _ServiceToken:
    token: str = field(repr=False)
    expires: int
    renew_at: float
    signed_by: str


class UnknownKey(DomainError):
    """The token names a key that this process does not know: a new one, or none of ours."""

    def __init__(self) -> None:
        super().__init__(Reason.TOKEN_INVALID)


class AccessTokens:
    """Signs access tokens and reads them back."""

    def __init__(self, keys: SigningKeys, settings: TokenSettings, clock: Clock) -> None:
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._services: dict[str, _ServiceToken] = {}

    @property
    def life(self) -> int:
        """How long a session's token works, in microseconds."""
        return self._settings.user_seconds * SECOND

    def for_session(self, session: Session, operator: bool) -> tuple[str, int]:
        """The token of the session's generation and its expiry in microseconds.

        The same generation gets the same token as long as the key signs.
        """
        issued = session.rotate_time // SECOND
        expires = min(issued + self._settings.user_seconds, session.expire_time // SECOND)
        claims: dict[str, Any] = {
            "kind": "user",
            "sub": session.user_id,
            "sid": session.session_id,
            "operator": operator,
            "iat": issued,
            "exp": expires,
            "jti": f"{session.session_id}.{session.generation}",
        }
        if session.scopes is not None:
            claims["scope"] = scope_text(session.scopes)
        return self._sign(claims), expires * SECOND

    def for_service(self, name: str) -> tuple[str, int]:
        """The token of a service of this installation and its expiry in microseconds.

        It is the same until it is half used up.
        """
        kid, _ = self._keys.signer()
        known = self._services.get(name)
        if known and known.signed_by == kid and self._clock() < known.renew_at:
            return known.token, known.expires * SECOND
        issued, life = int(self._clock()), self._settings.service_seconds
        claims = {
            "kind": "service",
            "sub": name,
            "sid": "",
            "operator": False,
            "iat": issued,
            "exp": issued + life,
            "jti": f"{name}.{issued}",
        }
        token = self._sign(claims)
        self._services[name] = _ServiceToken(token, issued + life, issued + life / 2, kid)
        return token, (issued + life) * SECOND

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

    def _sign(self, claims: dict[str, Any]) -> str:
        kid, private = self._keys.signer()
        whole = {"iss": self._settings.issuer, "aud": self._settings.audience, **claims}
        return jwt.encode(whole, private, ALGORITHM, headers={"typ": TYPE, "kid": kid})


def scope_text(scopes: frozenset[Scope]) -> str:
    """Scopes as a token names them (RFC 8693, 4.2)."""
    return " ".join(sorted(scope.name.lower() for scope in scopes))


def _scopes(claims: dict[str, Any]) -> frozenset[Scope] | None:
    """What a token is limited to; names that this version does not know grant nothing."""
    if "scope" not in claims:
        return None
    text = claims["scope"]
    if not isinstance(text, str):
        raise jwt.InvalidTokenError
    return frozenset(Scope[name] for name in text.upper().split() if name in Scope.__members__)


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
    )
