"""Who may post where, by the access policy of this installation."""

import time

from antiphon_server.dispatcher.model import ConversationId
from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy, TokenVerifier, rule_of
from antiphon_server.runtime.errors import DomainError, Reason

DISPATCH = "/antiphon.dispatcher.v1.DispatcherService/Dispatch"


class PolicyGatekeeper:
    """A :class:`~antiphon_server.dispatcher.ports.Gatekeeper`: a message is a Dispatch."""

    def __init__(self, policy: AccessPolicy, verifier: TokenVerifier) -> None:
        self._policy = policy
        self._verifier = verifier
        self._rule = rule_of(DISPATCH)

    async def check_write(self, principal: Principal, conversation_id: ConversationId) -> None:
        """See :meth:`Gatekeeper.check_write`."""
        if time.time() >= principal.expires_at:
            raise DomainError(Reason.TOKEN_EXPIRED)
        enforce(await self._policy.decide(principal, self._rule, conversation_id))

    async def verify(self, access_token: str) -> Principal:
        """See :meth:`Gatekeeper.verify`."""
        return await self._verifier.verify(access_token)
