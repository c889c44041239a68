"""The outbox in a SQL database, beside what was changed."""

from antiphon.auth.v1 import audit_pb2
from antiphon_server.integration.trail.adapters.tables import trail_outbox
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail import outbox
from antiphon_server.runtime.trail.outbox import resource_of

__all__ = ["Author", "SqlOutbox", "resource_of"]


class Author(outbox.Author):
    """Whoever calls now, for what is stored while another thread works for them."""

    def __init__(self) -> None:
        super().__init__(trail_outbox)


class SqlOutbox(outbox.SqlOutbox):
    """See :class:`~antiphon_server.integration.trail.ports.IntegrationOutbox`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, trail_outbox)

    async def authorized(self, workspace_id: str, connection: str) -> None:
        by, resource = Author(), resource_of(workspace_id)
        detail = audit_pb2.ConnectionAuthorized(resource=resource, name=connection)
        await self._database.write(lambda it: by.note(it, connection_authorized=detail))
