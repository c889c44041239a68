"""Who may read what, by the access policy of this installation."""

from antiphon_server.events.model import Scope
from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy, TokenVerifier, rule_of

READ_EVENTS = "/antiphon.events.v1.EventService/ReadEvents"


class PolicyGatekeeper:
    """A :class:`~antiphon_server.events.ports.Gatekeeper`: to watch is to read."""

    def __init__(self, policy: AccessPolicy, verifier: TokenVerifier) -> None:
        self._policy = policy
        self._verifier = verifier
        self._rule = rule_of(READ_EVENTS)

    async def check_read(self, principal: Principal, scope: Scope) -> None:
        """See :meth:`Gatekeeper.check_read`."""
        enforce(await self._policy.decide(principal, self._rule, scope))

    async def verify(self, access_token: str) -> Principal:
        """See :meth:`Gatekeeper.verify`."""
        return await self._verifier.verify(access_token)
