"""What callers may do, by the access policy of the installation."""

from antiphon_server.runtime.access.permissions import Permission, rule_for
from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy

_WRITES = rule_for(Permission.WRITE)


class PolicyRights:
    """See :class:`~antiphon_server.memory.ports.Rights`."""

    def __init__(self, policy: AccessPolicy) -> None:
        self._policy = policy

    async def check_write(self, principal: Principal, scope: str) -> None:
        """See :meth:`Rights.check_write`."""
        enforce(await self._policy.decide(principal, _WRITES, scope))
