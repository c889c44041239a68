"""Connections that a newer server has stored: listed, and used by the servers that know them."""

from collections.abc import Callable

from antiphon_server.integration.connections.model import Connection
from antiphon_server.integration.connections.ports import Link
from antiphon_server.runtime.errors import DomainError, Reason


class NewerKind:
    """See :class:`~antiphon_server.integration.connections.ports.Kind`: nothing can be done."""

    async def check(self, connection: Connection) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.check`."""
        raise DomainError(Reason.CONNECTION_NEWER, connection=connection.name)

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.link`."""
        raise DomainError(Reason.CONNECTION_NEWER, connection=connection.name)
