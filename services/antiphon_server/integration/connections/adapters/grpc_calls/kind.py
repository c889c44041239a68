"""gRPC servers as connections; what speaks to them is imported where one is first used."""

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from antiphon_server.integration.connections.adapters.egress import egress_of
from antiphon_server.integration.connections.model import Connection, Grpc, Header
from antiphon_server.integration.connections.ports import Documents, Link
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.runtime.concurrency.imports import imported
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import Place, place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy

if TYPE_CHECKING:
    from antiphon_server.integration.connections.adapters.grpc_calls.link import Room

LINK = "antiphon_server.integration.connections.adapters.grpc_calls.link"
_NOTHING_BEHIND = re.compile(r"https?://[^/?#]+/?", re.IGNORECASE)
_TRANSPORTS_OWN = re.compile(
    r"grpc-.*|.*-bin|te|host|content-type|user-agent|connection|idempotency-key", re.IGNORECASE
)


class GrpcServers:
    """See :class:`~antiphon_server.integration.connections.ports.Kind`."""

    def __init__(self, policy: EgressPolicy, secrets: Secrets, documents: Documents) -> None:
        self._policy, self._secrets, self._documents = policy, secrets, documents
        self._room: Room | None = None

    async def check(self, connection: Connection) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.check`."""
        place = _place(connection)
        egress_of(connection, place.host, self._policy).check_host(place.host)
        credential = connection.credential
        if isinstance(credential, Header) and _TRANSPORTS_OWN.fullmatch(credential.name):
            raise invalid("connection.credential.header.name", "none that gRPC itself uses")
        target = connection.target
        assert isinstance(target, Grpc)
        if target.document:
            room = await self._shared()
            await room.check(connection.name, target.document, target.services)

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.link`."""
        place = _place(connection)
        room = await self._shared()
        dialler = Dialler(egress_of(connection, place.host, self._policy))
        return room.link(connection, place, dialler, self._secrets, self._documents)

    async def _shared(self) -> "Room":
        """What all links share, which is made with the first."""
        adapter = await imported(LINK)
        if self._room is None:
            made: Room = await asyncio.to_thread(adapter.Room)
            self._room = self._room or made  # of one who came meanwhile
        return self._room


def _place(connection: Connection) -> Place:
    """Where it leads. Raises DomainError EGRESS_DENIED, INVALID_ARGUMENT."""
    assert isinstance(connection.target, Grpc)
    place = place_of(connection.target.address)
    if not _NOTHING_BEHIND.fullmatch(connection.target.address):
        raise invalid("connection.grpc.address", "https://host:port or http://host:port")
    return place
