"""Services over HTTP as connections, by their OpenAPI documents."""

import asyncio
from collections.abc import Callable
from importlib import import_module

from antiphon_server.integration.connections.adapters.egress import egress_of
from antiphon_server.integration.connections.model import Connection, OpenApi
from antiphon_server.integration.connections.ports import Link
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy

LINK = "antiphon_server.integration.connections.adapters.rest_link"


class RestServices:
    """See :class:`~antiphon_server.integration.connections.ports.Kind`.

    What a document names is nobody's word but its own: it is guarded like all else.
    """

    def __init__(self, policy: EgressPolicy, secrets: Secrets) -> None:
        self._policy, self._secrets = policy, secrets
        self._reading = asyncio.Lock()

    async def check(self, connection: Connection) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.check`."""
        for field, url in _named(connection):
            place = place_of(url)
            if place.scheme not in ("http", "https"):
                raise invalid(f"connection.openapi.{field}", "an address of http or https")
            if field == "base_url" and set("?#") & set(url):
                raise invalid(f"connection.openapi.{field}", "an address without query or fragment")
            egress_of(connection, place.host, self._policy).check_host(place.host)

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.link`."""
        policy = self._policy
        for _, url in _named(connection):
            policy = egress_of(connection, place_of(url).host, policy)
        adapter = await asyncio.to_thread(import_module, LINK)
        link: Link = adapter.RestLink(connection, Dialler(policy), self._secrets, self._reading)
        return link


def _named(connection: Connection) -> list[tuple[str, str]]:
    """The addresses that the connection itself names."""
    assert isinstance(connection.target, OpenApi)
    given = {"url": connection.target.url, "base_url": connection.target.base_url}
    return [(field, url) for field, url in given.items() if url]
