"""HTTP for MCP: guarded, and signed where the connection itself is called."""

from collections.abc import Callable

import httpx2

from antiphon_server.integration.connections.adapters.signing import signature
from antiphon_server.integration.connections.model import Connection
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.httpx2_transport import GuardedTransport
from antiphon_server.runtime.net.egress.names import Place, place_of


def signed(
    connection: Connection, url: str, secrets: Secrets, dialler: Dialler
) -> Callable[[], httpx2.AsyncBaseTransport]:
    """What makes transports for one connection."""
    return lambda: _Signed(connection, place_of(url), secrets, dialler)


class _Signed(GuardedTransport):
    """Signs what goes to the connection's own place, and nothing that goes elsewhere."""

    def __init__(
        self, connection: Connection, place: Place, secrets: Secrets, dialler: Dialler
    ) -> None:
        super().__init__(dialler, connection.limits.max_bytes)
        self._connection, self._place, self._secrets = connection, place, secrets

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See :class:`httpx2.AsyncBaseTransport`."""
        if place_of(str(request.url)) == self._place:
            request.headers.update(await signature(self._connection, self._secrets))
        return await super().handle_async_request(request)
