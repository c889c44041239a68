"""The outbox in a SQL database, beside what was changed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from antiphon.auth.v1 import audit_pb2
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.integration.trail.adapters.tables import trail_outbox
from antiphon_server.integration.trail.model import Entry
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.net.addresses import current_address
from antiphon_server.runtime.storage.database import Database

_FIRST = (
    select(trail_outbox)
    .where(trail_outbox.c.place > bindparam("b_after"))
    .order_by(trail_outbox.c.place)
    .limit(bindparam("b_limit"))
)
_REMOVE = delete(trail_outbox).where(trail_outbox.c.entry_id == bindparam("b_entry_id"))


class Author:
    """Whoever calls now, for what is stored while another thread works for them."""

    def __init__(self) -> None:
        caller = current_principal()
        self._who = (caller.actor, caller.session_id, current_address())

    def note(self, connection: Connection, **detail: Any) -> None:
        """Store, with what it is about, that they changed it; one ``detail`` of the contract's."""
        actor, session_id, address = self._who
        event = audit_pb2.SecurityEvent(
            actor=actor, session_id=session_id, address=address, **detail
        )
        entry_id = new_id("out")
        request = RecordSecurityEventsRequest(events=[event], request_id=entry_id)
        row = {"entry_id": entry_id, "body": request.SerializeToString()}
        connection.execute(insert(trail_outbox), row)


class SqlOutbox:
    """See :class:`~antiphon_server.integration.trail.ports.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def first(self, after: int, limit: int) -> Sequence[tuple[int, Entry]]:
        at = {"b_after": after, "b_limit": limit}
        return await self._database.read(
            lambda it: [(place, Entry(key, body)) for place, key, body in it.execute(_FIRST, at)]
        )

    async def remove(self, entry: Entry) -> None:
        at = {"b_entry_id": entry.entry_id}
        await self._database.write(lambda it: it.execute(_REMOVE, at))

    async def authorized(self, workspace_id: str, connection: str) -> None:
        by, resource = Author(), resource_of(workspace_id)
        detail = audit_pb2.ConnectionAuthorized(resource=resource, name=connection)
        await self._database.write(lambda it: by.note(it, connection_authorized=detail))


def resource_of(workspace_id: str) -> str:
    """How events name a workspace."""
    return f"workspaces/{workspace_id}"
