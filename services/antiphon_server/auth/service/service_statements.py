"""What a service of this installation signs to prove which one it is (RFC 7523, 3).

Each has an Ed25519 key whose seed is derived from the installation's secret. With a shared key
(HMAC) whoever checks a statement could make one; so a verifier needs the public keys alone.
"""

import secrets
from collections.abc import Iterable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.service.token_reader import ALGORITHM
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason

CONTROL_PLANE = "mesh"
"""Signs as well: it leads to the services."""
TYPE = "JWT"
LONGEST = 60
SKEW = 30
"""Seconds by which two services' clocks may differ."""
KNOWN = LONGEST + 2 * SKEW
"""How long a statement may be shown at most, in seconds."""
_REQUIRED = ["iss", "sub", "aud", "exp", "jti"]
_LONGEST_ID = 128


def service_key(secret: ServerSecret, name: str) -> Ed25519PrivateKey:
    """The key that the service of that name signs with."""
    return Ed25519PrivateKey.from_private_bytes(secret.derive(f"service {name}"))


def signed(key: Ed25519PrivateKey, name: str, audience: str, now: float) -> str:
    """A statement of the service that has the key, good for a minute by its own clock."""
    claims = {
        "iss": name,
        "sub": name,
        "aud": audience,
        "exp": int(now) + LONGEST,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode(claims, key, ALGORITHM, headers={"typ": TYPE})


class StatementSigner:
    """Makes one service's statements for one audience; one is used for half of its life."""

    def __init__(self, secret: ServerSecret, name: str, audience: str, clock: Clock) -> None:
        self._key = service_key(secret, name)
        self._name = name
        self._audience = audience
        self._clock = clock
        self._statement = ""
        self._renew_at = 0.0

    def statement(self) -> str:
        """One that is valid now."""
        now = self._clock()
        if now >= self._renew_at:
            self._statement = signed(self._key, self._name, self._audience, now)
            self._renew_at = now + LONGEST / 2
        return self._statement


class StatementReader:
    """Reads the statements of the ``services``, and the control plane's, for one audience."""

    def __init__(
        self, secret: ServerSecret, audience: str, clock: Clock, services: Iterable[str]
    ) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {
            name: service_key(secret, name).public_key() for name in (*services, CONTROL_PLANE)
        }
        self._audience = audience
        self._clock = clock

    def read(self, statement: str) -> tuple[str, str]:
        """Which service signed it, and its id. Raises PyJWTError, ValueError."""
        # No other parameter is allowed: not jwk, jku, x5u, x5c, kid or crit.
        if jwt.get_unverified_header(statement) != {"alg": ALGORITHM, "typ": TYPE}:
            raise jwt.InvalidTokenError
        claimed = jwt.decode(statement, options={"verify_signature": False}).get("iss")
        key = self._keys.get(claimed) if isinstance(claimed, str) else None
        if key is None:
            raise jwt.InvalidIssuerError
        claims: dict[str, Any] = jwt.decode(
            statement,
            key,
            algorithms=[ALGORITHM],
            audience=self._audience,
            issuer=claimed,
            subject=claimed,
            # Times are compared by our own clock.
            options={
                "require": _REQUIRED,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "strict_aud": True,
            },
        )
        expires, statement_id = claims["exp"], claims["jti"]
        if type(expires) is not int or not -SKEW < expires - self._clock() <= LONGEST + SKEW:
            raise jwt.ExpiredSignatureError
        if not isinstance(statement_id, str) or not 8 <= len(statement_id) <= _LONGEST_ID:
            raise jwt.InvalidTokenError
        return str(claimed), statement_id


class StatementVerifier:
    """A :class:`TokenVerifier` for callers who show a statement in place of a token.

    So a service is known without the auth service. Whoever reads along can repeat it for
    two minutes at most, to the same audience alone.
    """

    def __init__(self, reader: StatementReader) -> None:
        self._reader = reader

    async def verify(self, token: str) -> Principal:
        """Which service holds it. Raises DomainError TOKEN_INVALID."""
        try:
            name, _ = self._reader.read(token)
        except (jwt.PyJWTError, ValueError) as error:
            raise DomainError(Reason.TOKEN_INVALID) from error
        return Principal("service", UserId(name), SessionId(""))
