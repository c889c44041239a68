"""Services over HTTP as connections, by their OpenAPI documents."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from antiphon_server.integration.connections.adapters.egress import egress_of
from antiphon_server.integration.connections.adapters.signing import signed_headers
from antiphon_server.integration.connections.model import Connection, OpenApi
from antiphon_server.integration.connections.ports import Documents, Link
from antiphon_server.integration.connections.rest.documents import read
from antiphon_server.integration.connections.rest.model import Api
from antiphon_server.integration.connections.rest.operations import api
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.runtime.concurrency.imports import imported
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy

LINK = "antiphon_server.integration.connections.adapters.rest_link"


class RestServices:
    """See :class:`~antiphon_server.integration.connections.ports.Kind`.

    What a document names is nobody's word but its own: it is guarded like all else. Documents are
    read one at a time, however many there are, in a thread of its own: one that nobody waits for
    any longer keeps none but documents waiting.
    """

    def __init__(self, policy: EgressPolicy, secrets: Secrets, documents: Documents) -> None:
        self._policy, self._secrets, self._documents = policy, secrets, documents
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="openapi")

    async def check(self, connection: Connection) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.check`."""
        target = connection.target
        assert isinstance(target, OpenApi)
        if bool(target.url) == bool(target.digest):
            raise invalid("connection.openapi", "with a url or with a document, one of them")
        if target.document:
            given = await asyncio.get_running_loop().run_in_executor(
                self._reading, understood, connection, target.document
            )
            host = place_of(given.base_url).host
            egress_of(connection, host, self._policy).check_host(host)
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
        adapter = await imported(LINK)
        link: Link = adapter.RestLink(
            connection, Dialler(policy), self._secrets, self._documents, self._reading
        )
        return link


def understood(connection: Connection, text: bytes) -> Api:
    """What a document says; takes a while if it is large.

    Raises DomainError INVALID_ARGUMENT, LIMIT_EXCEEDED, EGRESS_DENIED.
    """
    target = connection.target
    assert isinstance(target, OpenApi)
    return api(
        read(text),
        connection.name,
        base_url=target.base_url,
        address=target.url,
        signed=signed_headers(connection),
    )


def _named(connection: Connection) -> list[tuple[str, str]]:
    """The addresses that the connection itself names."""
    assert isinstance(connection.target, OpenApi)
    given = {"url": connection.target.url, "base_url": connection.target.base_url}
    return [(field, url) for field, url in given.items() if url]
