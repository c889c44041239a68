"""Logins between their start and the answer of an identity provider."""

import base64
import hmac
import json
import secrets

from antiphon_server.auth.model.identities import (
    LOGIN_LIFE,
    Handshake,
    LoginFlow,
    LoginId,
    ProviderName,
)
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.single_use import SingleUse
from antiphon_server.runtime.encoding import base64url
from antiphon_server.runtime.errors import DomainError, Reason

_PREFIX = "login_"


class LoginFlows:
    """Begins logins and ends them: each once, by whoever began it, within 10 minutes.

    A begun login is kept by its client: the id says all of it, and the secret, which is made
    of the id and the installation's own secret, proves that it was begun here. So strangers
    may begin as many as they like. What binds the provider's answer (state, nonce, PKCE's
    verifier) is made in the same way when it is needed. Only ended ones are remembered.
    """

    def __init__(self, single_use: SingleUse, secret: ServerSecret, clock: Clock) -> None:
        self._single_use = single_use
        self._key = secret.derive("logins at identity providers")
        self._now = micros(clock)

    def begin(self, provider: ProviderName, redirect_uri: str) -> tuple[LoginFlow, str]:
        """A new login, and the secret of who began it."""
        expires = self._now() + LOGIN_LIFE
        said = json.dumps([provider, redirect_uri, expires, secrets.token_urlsafe(16)])
        login_id = LoginId(_PREFIX + base64.urlsafe_b64encode(said.encode()).decode())
        flow = LoginFlow(login_id, provider, redirect_uri, expires)
        return flow, self._derive("secret", login_id)

    async def end(self, login_id: LoginId, secret: str) -> LoginFlow:
        """The login, which can't be ended again.

        Raises DomainError LOGIN_EXPIRED, which does not tell one that never was from
        another's.
        """
        due = self._derive("secret", login_id)
        if not hmac.compare_digest(secret.encode(), due.encode()):
            raise DomainError(Reason.LOGIN_EXPIRED)
        said = base64.urlsafe_b64decode(login_id.removeprefix(_PREFIX))
        provider, redirect_uri, expires, _ = json.loads(said)
        late = expires <= self._now()
        if late or not await self._single_use.first("login", login_id, expires):
            raise DomainError(Reason.LOGIN_EXPIRED)
        return LoginFlow(login_id, provider, redirect_uri, expires)

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
        return base64url.encoded(digest)
