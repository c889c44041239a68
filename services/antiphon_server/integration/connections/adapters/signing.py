"""What signs the calls of connections."""

import base64
from collections.abc import Mapping

from antiphon_server.integration.connections.model import Basic, Bearer, Connection, Header
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.runtime.errors import not_found


class OperatorSecrets:
    """The secrets of workspaces, and those of the installation's connections: workspace ""."""

    def __init__(self, own: Mapping[SecretName, str], workspaces: Secrets) -> None:
        self._own, self._workspaces = own, workspaces

    async def value(self, workspace_id: str, name: SecretName) -> str:
        """See :class:`~antiphon_server.integration.secrets.ports.Secrets`."""
        if workspace_id:
            return await self._workspaces.value(workspace_id, name)
        if name not in self._own:
            raise not_found(f"secret {name}")
        return self._own[name]


async def signature(connection: Connection, secrets: Secrets) -> Mapping[str, str]:
    """The headers that sign a call, with the secret as it is now. Raises DomainError NOT_FOUND."""
    match connection.credential:
        case Bearer(secret):
            token = _as_header(secret, await secrets.value(connection.workspace_id, secret))
            return {"Authorization": f"Bearer {token}"}
        case Header(name, secret):
            value = await secrets.value(connection.workspace_id, secret)
            return {name: _as_header(secret, value)}
        case Basic(user, secret):
            password = await secrets.value(connection.workspace_id, secret)
            joined = base64.b64encode(f"{user}:{password}".encode()).decode()
            return {"Authorization": f"Basic {joined}"}
    return {}


def signed_headers(connection: Connection) -> frozenset[str]:
    """The names of those headers, in small letters."""
    match connection.credential:
        case Header(name, _):
            return frozenset({name.lower()})
        case Bearer() | Basic():
            return frozenset({"authorization"})
    return frozenset()


def _as_header(name: SecretName, value: str) -> str:
    """A value as headers have it: libraries say what they refuse in words, with the value.

    Raises DomainError NOT_FOUND.
    """
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise not_found(f"secret {name} that a header can have; store it anew")
    return value
