"""Tells the audit trail what was changed, and to what people consented."""

from antiphon_server.integration.trail.ports import IntegrationOutbox
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.concurrency.retry_policies import OUTBOX
from antiphon_server.runtime.trail import relay
from antiphon_server.runtime.trail.ports import SecurityTrail


class TrailRelay(relay.TrailRelay):
    """See :class:`antiphon_server.runtime.trail.relay.TrailRelay`."""

    def __init__(
        self, outbox: IntegrationOutbox, trail: SecurityTrail, policy: RetryPolicy = OUTBOX
    ) -> None:
        super().__init__(outbox, trail, policy)
        self._consents = outbox

    async def authorized(self, workspace_id: str, connection: str) -> None:
        """Tell that the caller consented to a connection. Raises DomainError."""
        await self._consents.authorized(workspace_id, connection)
        await self.tell()
