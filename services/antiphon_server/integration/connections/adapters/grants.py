"""What people have granted connections, sealed with all secrets, where no request can name it."""

import time

from antiphon_server.integration.connections.model import Connection, grantee
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.secrets.ports import KeptSecrets
from antiphon_server.integration.tools.model import SourceName


class SealedGrants:
    """See :class:`~antiphon_server.integration.connections.ports.Grants`."""

    def __init__(self, secrets: KeptSecrets) -> None:
        self._secrets = secrets

    def of(self, connection: Connection) -> "SealedTokens":
        """Where the connection's tokens are kept."""
        return SealedTokens(self._secrets, connection)

    async def begin(self, workspace_id: str, key: str, began: str, seconds: int) -> None:
        place = _begun(workspace_id)
        await self._secrets.prune(place, time.time_ns() // 1000 - seconds * 1_000_000)
        await self._secrets.replace(place, SecretName(key), began, 0)

    async def take(self, workspace_id: str, key: str) -> str | None:
        return await self._secrets.take(_begun(workspace_id), SecretName(key))

    async def forget(self, workspace_id: str, name: SourceName) -> None:
        await self._secrets.take(_granted(workspace_id), SecretName(name))


class SealedTokens:
    """See :class:`~antiphon_server.integration.connections.mcp.ports.TokenStore`.

    What was granted to another address, or another client, or a connection of that name before
    this one, is nothing.
    """

    def __init__(self, secrets: KeptSecrets, connection: Connection) -> None:
        self._secrets, self._grantee = secrets, grantee(connection)
        self._place = _granted(connection.workspace_id)
        self._name = SecretName(connection.name)

    async def load(self) -> tuple[str, int]:
        kept, version = await self._secrets.read(self._place, self._name) or ("", 0)
        whose, _, granted = kept.partition("\n")
        return (granted if whose == self._grantee else ""), version

    async def save(self, granted: str, seen: int) -> int | None:
        kept = f"{self._grantee}\n{granted}"
        return await self._secrets.replace(self._place, self._name, kept, seen)


def _granted(workspace_id: str) -> str:
    return f"oauth/{workspace_id}"


def _begun(workspace_id: str) -> str:
    return f"consent/{workspace_id}"
