"""Requests that people send by connections, each of which is one in the ledger."""

from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.model import Answered, Forwarded
from antiphon_server.integration.connections.supervision import Supervised
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.entries import entered
from antiphon_server.integration.ledger.model import Payer, WorkspaceId
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.access.principal import asked_for, asked_with
from antiphon_server.runtime.errors import DomainError, Reason


class Forwarding:
    """Forwards by those connections that a workspace may use."""

    def __init__(self, connections: Connections, calls: PricedCalls) -> None:
        self._connections, self._calls = connections, calls

    async def forward(self, workspace_id: str, name: SourceName, request: Forwarded) -> Answered:
        """Send it, and return its answer. Cancelling it closes what it uses.

        Raises DomainError NOT_FOUND, CONNECTION_UNAVAILABLE for one that is disabled, and what
        its link raises.
        """
        found = await enabled(self._connections, workspace_id, name)
        async with entered(self._calls, sender(workspace_id), name):
            return await found.forward(request)


def sender(workspace_id: str) -> Payer:
    """Who pays for what the caller sends by a connection of the workspace."""
    return Payer(WorkspaceId(workspace_id), user_id=asked_for(""), api_keys=asked_with(()))


async def enabled(connections: Connections, workspace_id: str, name: SourceName) -> Supervised:
    """One that people may send by. Raises DomainError NOT_FOUND, CONNECTION_UNAVAILABLE."""
    found = await connections.get(workspace_id, name)
    if found.connection.disabled:
        raise DomainError(Reason.CONNECTION_UNAVAILABLE, connection=name, state="DISABLED")
    return found
