"""Who may serve what, in a SQL database."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, tuple_, update

from antiphon.auth.v1 import audit_pb2
from antiphon_server.runtime.access.principal import UserId, current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert
from antiphon_server.runtime.trail.outbox import Author, resource_of_parent
from antiphon_server.workers.adapters.tables import permission_version, permissions, trail_outbox
from antiphon_server.workers.model import (
    MOST_PERMISSIONS,
    HandlerName,
    Known,
    Parent,
    WorkerPermission,
)

_OF_PARENT = permissions.c.parent == bindparam("b_parent")
_HERE = (
    _OF_PARENT,
    permissions.c.handler == bindparam("b_handler"),
    permissions.c.user_id == bindparam("b_user_id"),
)
_THERE = select(permissions.c.created_us).where(*_HERE)
_COUNT = select(func.count()).where(_OF_PARENT)
_NAMED = permissions.c.handler, permissions.c.user_id
_ALL = Prepared(lambda: select(permissions.c.parent, *_NAMED))
_LISTED = (
    select(permissions)
    .where(_OF_PARENT, tuple_(*_NAMED) > tuple_(bindparam("b_handler"), bindparam("b_user_id")))
    .order_by(*_NAMED)
    .limit(bindparam("b_limit"))
)
_REMOVE = delete(permissions).where(*_HERE)
_FIRST_VERSION = PreparedInsert(permission_version, " ON CONFLICT DO NOTHING")
_NEXT_VERSION = update(permission_version).values(version=permission_version.c.version + 1)
_HOLD = select(permission_version.c.version).with_for_update()
_VERSION = Prepared(lambda: select(permission_version.c.version))


def _now_us() -> int:
    return time.time_ns() // 1000


class SqlPermissions:
    """A :class:`~antiphon_server.workers.ports.PermissionStore` in a SQL database."""

    def __init__(self, database: Database, now_us: Callable[[], int] = _now_us) -> None:
        self._database, self._now_us = database, now_us

    async def add(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        at, by = _at(parent, handler, user_id), Author(trail_outbox)
        named = {"parent": parent, "handler": handler, "user_id": user_id}
        since = {"created_us": self._now_us(), "creator": current_principal().actor}
        event = audit_pb2.WorkerAllowed(resource=resource_of_parent(parent), handler=handler)

        def store(connection: Connection) -> None:
            _lock(connection)
            if connection.execute(_THERE, at).one_or_none() is not None:
                return
            if connection.execute(_COUNT, at).scalar_one() >= MOST_PERMISSIONS:
                most = f"{MOST_PERMISSIONS} permissions of a parent"
                raise DomainError(Reason.LIMIT_EXCEEDED, limit=most)
            connection.execute(insert(permissions), {**named, **since})
            connection.execute(_NEXT_VERSION)
            by.note(connection, user_id=user_id, worker_allowed=event)

        await self._database.write(store)

    async def remove(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        at, by = _at(parent, handler, user_id), Author(trail_outbox)
        event = audit_pb2.WorkerForbidden(resource=resource_of_parent(parent), handler=handler)

        def remove(connection: Connection) -> None:
            _lock(connection)
            if connection.execute(_REMOVE, at).rowcount:
                connection.execute(_NEXT_VERSION)
                by.note(connection, user_id=user_id, worker_forbidden=event)

        await self._database.write(remove)

    async def all(self) -> Known:
        return await self._database.read(lambda it: _by_handler(_ALL.rows(it, {})))

    async def version(self) -> int:
        row = await self._database.read(lambda it: _VERSION.row(it, {}), snapshot=False)
        return row[0] if row else 0

    async def listed(
        self, parent: Parent, after: tuple[str, str], limit: int
    ) -> Sequence[WorkerPermission]:
        at = {"b_parent": parent, "b_handler": after[0], "b_user_id": after[1], "b_limit": limit}
        return await self._database.read(lambda it: _permissions(it.execute(_LISTED, at)))


def _lock(connection: Connection) -> None:
    """Whoever changes one waits for whoever changes another: so counts and versions are right."""
    _FIRST_VERSION.run(connection, [{"one": 1, "version": 0}])
    connection.execute(_HOLD)


def _at(parent: Parent, handler: HandlerName, user_id: UserId) -> dict[str, str]:
    return {"b_parent": parent, "b_handler": handler, "b_user_id": user_id}


def _by_handler(rows: Iterable[tuple[Any, ...]]) -> Known:
    """On the store's thread, since there may be many."""
    known: dict[HandlerName, dict[Parent, set[UserId]]] = {}
    for parent, handler, user_id in rows:
        known.setdefault(handler, {}).setdefault(parent, set()).add(user_id)
    return known


def _permissions(rows: Iterable[Row[*tuple[object, ...]]]) -> list[WorkerPermission]:
    return [
        WorkerPermission(
            Parent(row.parent),
            HandlerName(row.handler),
            UserId(row.user_id),
            row.created_us,
            row.creator,
        )
        for row in rows
    ]
