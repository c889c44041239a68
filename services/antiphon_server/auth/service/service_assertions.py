"""How a service of this installation proves which one it is (RFC 7523, 3).

Each has an Ed25519 key whose seed is derived from the installation's secret. With a shared key
(HMAC) whoever checks a statement could make one; so a verifier needs the public keys alone.
"""

from typing import Any, NoReturn

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from antiphon_server.auth.model import SECOND, LoginMethod, TokenPair
from antiphon_server.auth.model.security_events import SecurityEvent, SignedIn, SignInFailure
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.ports.security_events import SecurityEvents
from antiphon_server.auth.service.once import Once
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.service.token_reader import ALGORITHM
from antiphon_server.auth.service.tokens import AccessTokens
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.installation import SERVICES
from antiphon_server.runtime.principal import SessionId

TYPE = "JWT"
LONGEST = 60
_REQUIRED = ["iss", "sub", "aud", "exp", "jti"]
_LONGEST_ID = 128
_METHOD = LoginMethod.SERVICE_ASSERTION


def service_key(secret: ServerSecret, name: str) -> Ed25519PrivateKey:
    """The key that the service of that name signs with."""
    return Ed25519PrivateKey.from_private_bytes(secret.derive(f"service {name}"))


class ServiceAssertions:
    """Takes each statement of a service once, and gives an access token for it.

    A statement's id is remembered longer than it is valid; only those that are signed are.
    """

    def __init__(
        self,
        secret: ServerSecret,
        once: Once,
        tokens: AccessTokens,
        sign_ins: SignIns,
        events: SecurityEvents,
        clock: Clock,
        audience: str,
    ) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {
            name: service_key(secret, name).public_key() for name in SERVICES
        }
        self._once = once
        self._tokens = tokens
        self._sign_ins = sign_ins
        self._events = events
        self._clock = clock
        self._audience = audience

    async def login(self, assertion: str) -> TokenPair:
        """Tokens for the service that signed. Raises DomainError CREDENTIALS_INVALID."""
        try:
            name, statement_id = self._read(assertion)
        except (jwt.PyJWTError, ValueError):
            await self._refuse(SignInFailure.UNTRUSTED)
        until = int((self._clock() + 2 * LONGEST) * SECOND)
        if not await self._once.first("assertion", f"{name}\0{statement_id}", until):
            await self._refuse(SignInFailure.REPLAYED)
        await self._events.record(SecurityEvent(SignedIn(_METHOD), actor=f"services/{name}"))
        token, expires = self._tokens.for_service(name)
        return TokenPair(token, expires, "", 0, SessionId(""))

    async def _refuse(self, failure: SignInFailure) -> NoReturn:
        await self._sign_ins.failed(_METHOD, failure)
        raise DomainError(Reason.CREDENTIALS_INVALID)

    def _read(self, assertion: str) -> tuple[str, str]:
        # No other parameter is allowed: not jwk, jku, x5u, x5c, kid or crit.
        if jwt.get_unverified_header(assertion) != {"alg": ALGORITHM, "typ": TYPE}:
            raise jwt.InvalidTokenError
        claimed = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        key = self._keys.get(claimed) if isinstance(claimed, str) else None
        if key is None:
            raise jwt.InvalidIssuerError
        claims: dict[str, Any] = jwt.decode(
            assertion,
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
        if type(expires) is not int or not 0 < expires - self._clock() <= LONGEST:
            raise jwt.ExpiredSignatureError
        if not isinstance(statement_id, str) or not 8 <= len(statement_id) <= _LONGEST_ID:
            raise jwt.InvalidTokenError
        return str(claimed), statement_id
