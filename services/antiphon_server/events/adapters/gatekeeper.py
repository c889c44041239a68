"""Who may read what, by the access policy of this installation."""

from antiphon.auth.v1.access_pb2 import PERMISSION_READ
from antiphon_server.events.model import Scope
from antiphon_server.runtime.access import AccessPolicy, TokenVerifier
from antiphon_server.runtime.principal import Principal


class PolicyGatekeeper:
    """A :class:`~antiphon_server.events.ports.Gatekeeper`."""

    def __init__(self, policy: AccessPolicy, verifier: TokenVerifier) -> None:
        self._policy = policy
        self._verifier = verifier

    async def check_read(self, principal: Principal, scope: Scope) -> None:
        """See :meth:`Gatekeeper.check_read`."""
        await self._policy.check(principal, PERMISSION_READ, scope)

    async def verify(self, access_token: str) -> Principal:
        """See :meth:`Gatekeeper.verify`."""
        return await self._verifier.verify(access_token)
