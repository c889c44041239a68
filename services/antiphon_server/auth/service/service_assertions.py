"""How a service of this installation signs in: by what it has signed, once for each statement."""

from collections.abc import Sequence
from typing import NoReturn

import jwt

from antiphon_server.auth.model import SECOND, LoginMethod, TokenPair
from antiphon_server.auth.model.security_events import SecurityEvent, SignedIn, SignInFailure
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.ports.security_events import SecurityEvents
from antiphon_server.auth.service.service_statements import KNOWN, StatementReader
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.service.single_use import SingleUse
from antiphon_server.auth.service.tokens import AccessTokens
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import DomainError, Reason

_METHOD = LoginMethod.SERVICE_ASSERTION


class ServiceAssertions:
    """Takes each statement of a service once, and gives an access token for it.

    A statement's id is remembered longer than it is valid; only those that are signed are.
    """

    def __init__(
        self,
        secret: ServerSecret,
        single_use: SingleUse,
        tokens: AccessTokens,
        sign_ins: SignIns,
        events: SecurityEvents,
        clock: Clock,
        audience: str,
        services: Sequence[str],
    ) -> None:
        self._statements = StatementReader(secret, audience, clock, services)
        self._single_use = single_use
        self._tokens = tokens
        self._sign_ins = sign_ins
        self._events = events
        self._clock = clock

    async def login(self, assertion: str) -> TokenPair:
        """Tokens for the service that signed. Raises DomainError CREDENTIALS_INVALID."""
        try:
            name, statement_id = self._statements.read(assertion)
        except (jwt.PyJWTError, ValueError):
            await self._refuse(SignInFailure.UNTRUSTED)
        until = int((self._clock() + KNOWN) * SECOND)
        if not await self._single_use.first("assertion", f"{name}\0{statement_id}", until):
            await self._refuse(SignInFailure.REPLAYED)
        await self._events.record(SecurityEvent(SignedIn(_METHOD), actor=f"services/{name}"))
        token, expires = self._tokens.for_service(name)
        return TokenPair(token, expires, "", 0, SessionId(""))

    async def _refuse(self, failure: SignInFailure) -> NoReturn:
        await self._sign_ins.failed(_METHOD, failure)
        raise DomainError(Reason.CREDENTIALS_INVALID)
