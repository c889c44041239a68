"""Access tokens: EdDSA-signed JWTs (RFC 9068, RFC 8037, RFC 8725)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt

from antiphon_server.auth.model import SECOND, KeyId, Session
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.auth.service.token_reader import ALGORITHM, KEYS, TYPE, TokenReader
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.access.permissions import Scope


@dataclass(frozen=True, slots=True)
class _ServiceToken:
    token: str = field(repr=False)
    expires: int
    renew_at: float
    signed_by: str


class AccessTokens(TokenReader):
    """Signs access tokens and reads them back."""

    def __init__(self, keys: SigningKeys, settings: TokenSettings, clock: Clock) -> None:
        super().__init__(keys, settings)
        self._signing_keys = keys
        self._clock = clock
        self._services: dict[str, _ServiceToken] = {}

    @property
    def life(self) -> int:
        """How long a session's token works, in microseconds."""
        return self._settings.user_seconds * SECOND

    def for_session(
        self, session: Session, operator: bool, api_keys: Sequence[KeyId] = ()
    ) -> tuple[str, int]:
        """The token of the session's generation and its expiry in microseconds.

        ``api_keys`` are those that its calls count for.

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
        if api_keys:
            claims[KEYS] = list(api_keys)
        return self._sign(claims), expires * SECOND

    def for_service(self, name: str) -> tuple[str, int]:
        """The token of a service of this installation and its expiry in microseconds.

        It is the same until it is half used up.
        """
        kid, _ = self._signing_keys.signer()
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

    def _sign(self, claims: dict[str, Any]) -> str:
        kid, private = self._signing_keys.signer()
        whole = {"iss": self._settings.issuer, "aud": self._settings.audience, **claims}
        return jwt.encode(whole, private, ALGORITHM, headers={"typ": TYPE, "kid": kid})


def scope_text(scopes: frozenset[Scope]) -> str:
    """Scopes as a token names them (RFC 8693, 4.2)."""
    return " ".join(sorted(scope.name.lower() for scope in scopes))
