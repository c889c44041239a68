"""The installation's connections in the server's health."""

from dataclasses import dataclass

from antiphon_server.integration.connections.model import USABLE, Connection, Status
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
        serves = status.state in USABLE
        await self.health.set(f"connection.{connection.name}", serves, needed=False)
