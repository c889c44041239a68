"""Connections in a SQL database."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Row, bindparam, delete, func, insert, literal, select, union_all

from antiphon.auth.v1 import audit_pb2
from antiphon_server.integration.connections.adapters.sql_egress import rules_of
from antiphon_server.integration.connections.adapters.tables import connections, egress_rules
from antiphon_server.integration.connections.model import (
    MOST_CONNECTIONS,
    Connection,
    Credential,
    Grpc,
    Newer,
    OpenApi,
    without_document,
)
from antiphon_server.integration.connections.ports import Change, Marks
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.integration.trail.adapters.outbox import Author, resource_of
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared

_OF_WORKSPACE = connections.c.workspace_id == bindparam("b_workspace_id")
# Each use of a tool reads these, so what may be large stands beside them.
_SMALL = [it for it in connections.c if it.name != "document"]
_ALL = select(*_SMALL).where(_OF_WORKSPACE).order_by(connections.c.name)
_HERE = (_OF_WORKSPACE, connections.c.name == bindparam("b_name"))
_ONE = select(connections).where(*_HERE).with_for_update()
_DOCUMENT = select(connections.c.document).where(*_HERE)
_COUNT = select(func.count()).where(_OF_WORKSPACE)
_DELETE = delete(connections).where(*_HERE)
_MARKS = Prepared(
    lambda: union_all(
        select(connections.c.name, connections.c.etag).where(_OF_WORKSPACE),
        select(literal(""), egress_rules.c.etag).where(
            egress_rules.c.workspace_id == bindparam("b_workspace_id")
        ),
    )
)
_UNDERSTOOD: tuple[tuple[str, Any], ...] = (
    ("title", str),
    ("credential", Credential),
    ("disabled", bool),
)
"""Of connections of newer servers; what signs their calls is in use, and must not seem unused."""


class SqlConnections:
    """A :class:`~antiphon_server.integration.connections.ports.ConnectionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, workspace_id: str) -> Sequence[Connection]:
        at = {"b_workspace_id": workspace_id}

        def read(it: SqlConnection) -> list[Connection]:
            egress = rules_of(it, workspace_id).hosts
            return [replace(_read(row), egress=egress) for row in it.execute(_ALL, at)]

        return await self._database.read(read)

    async def marks(self, workspace_id: str) -> Marks:
        at = {"b_workspace_id": workspace_id}
        return dict(await self._database.read(lambda it: _MARKS.rows(it, at), snapshot=False))

    async def change(
        self, workspace_id: str, name: SourceName, change: Change
    ) -> Connection | None:
        at, by = {"b_workspace_id": workspace_id, "b_name": name}, Author()

        def make(it: SqlConnection) -> Connection | None:
            row = it.execute(_ONE, at).one_or_none()
            before = None if row is None else _read(row)
            given = change(before)
            after = None if given is None else without_document(given)
            if after == before:
                return before
            if before is None and it.execute(_COUNT, at).scalar_one() >= MOST_CONNECTIONS:
                limit = f"{MOST_CONNECTIONS} connections a workspace"
                raise DomainError(Reason.LIMIT_EXCEEDED, limit=limit)
            document = _document(given)
            if document is None and row is not None:
                document = row.document
            it.execute(_DELETE, at)
            if after is None or before is None or replace(after, etag=before.etag) != before:
                by.note(it, **_event(resource_of(workspace_id), name, before, after))
            return None if after is None else _write(it, after, document)

        return await self._database.write(make)

    async def document(self, connection: Connection) -> bytes:
        at = {"b_workspace_id": connection.workspace_id, "b_name": connection.name}
        found = await self._database.read(lambda it: it.execute(_DOCUMENT, at).scalar())
        if found is None:
            raise not_found(f"document of connection {connection.name}")
        return bytes(found)


def _event(
    resource: str, name: SourceName, before: Connection | None, after: Connection | None
) -> dict[str, Any]:
    """What became of it, as the audit trail has it; the address may tell too much."""
    where = {"resource": resource, "name": name}
    if after is None:
        return {"connection_deleted": audit_pb2.ConnectionDeleted(**where)}
    secret = after.credential.secret if after.credential is not None else ""
    if before is None:
        return {"connection_created": audit_pb2.ConnectionCreated(**where, secret=secret)}
    fields = before.__struct_fields__
    changed = [it for it in fields if getattr(before, it) != getattr(after, it)]
    updated = audit_pb2.ConnectionUpdated(**where, changed=changed, secret=secret)
    return {"connection_updated": updated}


def _document(given: Connection | None) -> bytes | None:
    """What is to be kept in place of what is; None if that is still meant."""
    if given is None or not isinstance(given.target, OpenApi | Grpc):
        return b""
    return None if given.target.digest and not given.target.document else given.target.document


def _read(row: Row[Any]) -> Connection:
    try:
        record = msgspec.json.decode(row.record, type=Connection)
    except msgspec.ValidationError:
        record = _newer(row)
    return replace(record, created_us=row.created_us, etag=row.etag)


def _newer(row: Row[Any]) -> Connection:
    """One that a newer server has stored, with as much of it as this one understands.

    The others of its workspace are to be used and listed all the same.
    """
    known = msgspec.json.decode(row.record, type=dict[str, Any])
    connection = Connection(row.workspace_id, SourceName(row.name), Newer())
    for name, kind in _UNDERSTOOD:
        with suppress(KeyError, msgspec.ValidationError):
            told = msgspec.convert(known[name], kind)
            connection = replace(connection, **{name: told})
    return connection


def _write(it: SqlConnection, connection: Connection, document: bytes | None) -> Connection:
    created = connection.created_us or time.time_ns() // 1000
    stored = replace(connection, etag=new_id("etag"), created_us=created)
    row = {
        "workspace_id": stored.workspace_id,
        "name": stored.name,
        "record": msgspec.json.encode(replace(stored, etag="", created_us=0, egress=())),
        "etag": stored.etag,
        "created_us": created,
        "document": document or None,
    }
    it.execute(insert(connections), row)
    return stored
