"""The installation's connections in the server's health."""

from dataclasses import dataclass

from antiphon_server.integration.connections.model import Connection, Status
from antiphon_server.runtime.rpc.health import Health


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """See :class:`~antiphon_server.integration.connections.ports.Told`.

    Each is a part `connection.NAME`, without which the server still serves.
    """

    health: Health

    async def __call__(self, connection: Connection, status: Status | None) -> None:
        if connection.workspace_id or status is None:
            return
        part = f"connection.{connection.name}"
        await self.health.set(part, status.serves, needed=False)
