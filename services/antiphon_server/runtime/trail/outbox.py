"""The outbox in a SQL database, beside what was changed: each service has a table of its own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

from antiphon.auth.v1 import audit_pb2
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.net.addresses import current_address
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.model import Entry


def outbox_table(name: str, metadata: MetaData) -> Table:
    """A service's table of what the audit trail has not been told yet."""
    place = BigInteger().with_variant(Integer, "sqlite")
    return Table(
        name,
        metadata,
        Column("place", place, primary_key=True, autoincrement=True),
        Column("entry_id", String(80), nullable=False, unique=True),
        Column("body", LargeBinary, nullable=False),
    )


class Author:
    """Whoever calls now, for what is stored in ``table`` while another thread works for them.

    ``actor`` is who does it where nobody calls.
    """

    def __init__(self, table: Table, actor: str = "") -> None:
        caller = current_principal()
        self._table = table
        if actor:
            self._who = (actor, "", "")
        else:
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
        connection.execute(insert(self._table), row)


class SqlOutbox:
    """See :class:`~antiphon_server.runtime.trail.ports.Outbox`."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._first = (
            select(table)
            .where(table.c.place > bindparam("b_after"))
            .order_by(table.c.place)
            .limit(bindparam("b_limit"))
        )
        self._remove = delete(table).where(table.c.entry_id == bindparam("b_entry_id"))

    async def first(self, after: int, limit: int) -> Sequence[tuple[int, Entry]]:
        """See :meth:`Outbox.first`."""
        at = {"b_after": after, "b_limit": limit}
        return await self._database.read(
            lambda it: [
                (place, Entry(key, body)) for place, key, body in it.execute(self._first, at)
            ]
        )

    async def remove(self, entry: Entry) -> None:
        """See :meth:`Outbox.remove`."""
        at = {"b_entry_id": entry.entry_id}
        await self._database.write(lambda it: it.execute(self._remove, at))


def resource_of(workspace_id: str) -> str:
    """How events name a workspace."""
    return f"workspaces/{workspace_id}"


def resource_of_parent(parent: str) -> str:
    """How events name a workspace, or the installation as "global"."""
    return parent if parent == "global" else resource_of(parent)
