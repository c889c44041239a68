"""Who may post where, by the access policy of this installation."""

import time

from antiphon.auth.v1.access_pb2 import PERMISSION_WRITE
from antiphon_server.dispatcher.model import ConversationId
from antiphon_server.runtime.access import AccessPolicy, TokenVerifier
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.principal import Principal


class PolicyGatekeeper:
    """A :class:`~antiphon_server.dispatcher.ports.Gatekeeper`."""

    def __init__(self, policy: AccessPolicy, verifier: TokenVerifier) -> None:
        self._policy = policy
        self._verifier = verifier

    async def check_write(self, principal: Principal, conversation_id: ConversationId) -> None:
        """See :meth:`Gatekeeper.check_write`."""
        if time.time() >= principal.expires_at:
            raise DomainError(Reason.TOKEN_EXPIRED)
        await self._policy.check(principal, PERMISSION_WRITE, conversation_id)

    async def verify(self, access_token: str) -> Principal:
        """See :meth:`Gatekeeper.verify`."""
        return await self._verifier.verify(access_token)
