"""Who may use a relay: by the access policy, and by what is known of sessions."""

from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy, TokenRechecker, rule_of

OPEN_RELAY = "/antiphon.integration.v1.ConnectionService/OpenRelay"


class PolicyRelayAccess:
    """See :class:`~antiphon_server.integration.connections.ports.RelayAccess`.

    ``policy`` may ask an engine outside; ``roles`` never does, and is asked again and again.
    """

    def __init__(self, policy: AccessPolicy, roles: AccessPolicy, verifier: TokenRechecker) -> None:
        self._policy, self._roles, self._verifier = policy, roles, verifier
        self._rule = rule_of(OPEN_RELAY)

    async def admit(self, principal: Principal, workspace_id: str) -> None:
        enforce(await self._policy.decide(principal, self._rule, workspace_id))

    async def recheck(self, principal: Principal, token: str, workspace_id: str) -> None:
        if principal.kind != "user":
            return  # parts of this installation
        await self._verifier.recheck(token, principal)
        enforce(await self._roles.decide(principal, self._rule, workspace_id))

    async def verified(self, token: str) -> Principal:
        return await self._verifier.verify(token)
