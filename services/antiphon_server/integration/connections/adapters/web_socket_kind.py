"""Servers of WebSockets as connections."""

from collections.abc import Callable

from antiphon_server.integration.connections import exchanges
from antiphon_server.integration.connections.adapters.egress import egress_of
from antiphon_server.integration.connections.adapters.web_socket_link import WebSocketLink
from antiphon_server.integration.connections.model import Connection, WebSocket
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.runtime.concurrency.imports import imported
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy

SOCKETS = "antiphon_server.integration.connections.adapters.web_socket"


class WebSockets:
    """See :class:`~antiphon_server.integration.connections.ports.Kind`."""

    def __init__(self, policy: EgressPolicy, secrets: Secrets) -> None:
        self._policy, self._secrets = policy, secrets

    async def check(self, connection: Connection) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.check`."""
        assert isinstance(connection.target, WebSocket)
        place = place_of(connection.target.url)
        if place.scheme not in ("ws", "wss"):
            raise invalid("connection.web_socket.url", "an address of ws or wss")
        egress_of(connection, place.host, self._policy).check_host(place.host)
        exchanges.definitions(connection.name, connection.target)

    async def link(self, connection: Connection, changed: Callable[[], None]) -> WebSocketLink:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.link`."""
        assert isinstance(connection.target, WebSocket)
        host = place_of(connection.target.url).host
        policy = egress_of(connection, host, self._policy)
        web_socket = await imported(SOCKETS)
        sockets = web_socket.Sockets(connection, self._secrets, Dialler(policy))
        return WebSocketLink(connection, sockets)
