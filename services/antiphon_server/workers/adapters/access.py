"""Who may open a worker's stream: by the access policy, and by what is known of sessions."""

from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy, TokenRechecker, rule_of

WORK = "/antiphon.dispatcher.v1.WorkerService/Work"


class PolicyWorkerAccess:
    """See :class:`~antiphon_server.workers.ports.Access`.

    ``policy`` may ask an engine outside; ``roles`` never does, and is asked again and again.
    """

    def __init__(self, policy: AccessPolicy, roles: AccessPolicy, verifier: TokenRechecker) -> None:
        self._policy, self._roles, self._verifier = policy, roles, verifier
        self._rule = rule_of(WORK)

    async def verified(self, token: str) -> Principal:
        principal = await self._verifier.verify(token)
        enforce(await self._policy.decide(principal, self._rule))
        return principal

    async def recheck(self, principal: Principal, token: str) -> None:
        if principal.kind != "user":
            return  # parts of this installation
        await self._verifier.recheck(token, principal)
        enforce(await self._roles.decide(principal, self._rule))
