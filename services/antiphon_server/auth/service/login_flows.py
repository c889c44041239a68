"""Logins between their start and the answer of an identity provider."""

import base64
import hashlib
import hmac
import secrets

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.model.identities import (
    LOGIN_LIFE,
    Handshake,
    LoginFlow,
    LoginId,
    ProviderName,
)
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.ports.identities import LoginFlowStore
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.ids import new_id

MOST = 10_000
"""Under a flood the oldest goes: a login that takes seconds still comes through."""


class LoginFlows:
    """Begins logins and ends them: each once, by whoever began it, within 10 minutes.

    What binds the provider's answer (state, nonce, PKCE's verifier) is made of the
    login's id and the installation's secret when it is needed, and stored nowhere.
    """

    def __init__(
        self, store: LoginFlowStore, secret: ServerSecret, clock: Clock, most: int = MOST
    ) -> None:
        self._store = store
        self._key = secret.derive("logins at identity providers")
        self._clock = clock
        self._most = most

    async def begin(self, provider: ProviderName, redirect_uri: str) -> tuple[LoginFlow, str]:
        """A new login, and the secret of who began it."""
        now, secret = self._now(), secrets.token_urlsafe(32)
        flow = LoginFlow(
            login_id=LoginId(new_id("login")),
            provider=provider,
            redirect_uri=redirect_uri,
            secret_hash=_hash(secret),
            expire_time=now + LOGIN_LIFE,
        )
        await self._store.add(flow, now, self._most)
        return flow, secret

    async def end(self, login_id: LoginId, secret: str) -> LoginFlow:
        """The login, which can't be ended again.

        Raises DomainError LOGIN_EXPIRED, which does not tell one that never was from
        another's.
        """
        flow = await self._store.take(login_id, _hash(secret))
        if flow is None or flow.expire_time <= self._now():
            raise DomainError(Reason.LOGIN_EXPIRED)
        return flow

    def handshake(self, flow: LoginFlow) -> Handshake:
        """What the provider's answer to this login has to match."""
        return Handshake(
            redirect_uri=flow.redirect_uri,
            state=self._derive("state", flow.login_id),
            nonce=self._derive("nonce", flow.login_id),
            verifier=self._derive("verifier", flow.login_id),
        )

    def _derive(self, purpose: str, login_id: LoginId) -> str:
        digest = hmac.digest(self._key, f"{purpose} {login_id}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _now(self) -> int:
        return int(self._clock() * SECOND)


def _hash(secret: str) -> bytes:
    """A plain digest is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
