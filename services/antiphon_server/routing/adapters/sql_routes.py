"""Routes in a SQL database."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from antiphon.auth.v1 import audit_pb2
from antiphon.dispatcher.v1.route_pb2 import Routes
from antiphon_server.routing.adapters.tables import route_changes, routes, trail_outbox
from antiphon_server.routing.encoding import rule_message, rule_of
from antiphon_server.routing.model import Revision, Rule
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert
from antiphon_server.runtime.trail.outbox import Author, resource_of_parent

KEPT = 100
"""So many revisions of a parent."""

_LAST = (
    select(routes.c.parent, func.max(routes.c.revision).label("revision"))
    .group_by(routes.c.parent)
    .subquery()
)
_NEWEST = select(routes.c.parent, routes.c.revision).join(
    _LAST, and_(routes.c.parent == _LAST.c.parent, routes.c.revision == _LAST.c.revision)
)
_STANDING = _NEWEST.where(routes.c.rule_count > 0)
_OF_PARENT = (
    select(routes)
    .where(routes.c.parent == bindparam("b_parent"))
    .order_by(routes.c.revision.desc())
    .limit(bindparam("b_limit"))
)
_AT = _OF_PARENT.where(routes.c.revision == bindparam("b_revision"))
_ABOUT = _OF_PARENT.with_only_columns(
    routes.c.parent, routes.c.revision, routes.c.creator, routes.c.created_us, routes.c.comment
)
_ABOUT_BEFORE = _ABOUT.where(routes.c.revision < bindparam("b_revision"))
_FORGET = delete(routes).where(
    routes.c.parent == bindparam("b_parent"), routes.c.revision <= bindparam("b_revision")
)
_FIRST_CHANGE = PreparedInsert(route_changes, " ON CONFLICT DO NOTHING")
_HOLD = select(route_changes.c.changes).with_for_update()
_NEXT_CHANGE = update(route_changes).values(changes=route_changes.c.changes + 1)
_CHANGES = Prepared(lambda: select(route_changes.c.changes))


def _now_us() -> int:
    return time.time_ns() // 1000


class SqlRoutes:
    """A :class:`~antiphon_server.routing.ports.RouteStore` in a SQL database."""

    def __init__(self, database: Database, now_us: Callable[[], int] = _now_us) -> None:
        self._database, self._now_us = database, now_us

    async def changes(self) -> int:
        row = await self._database.read(lambda it: _CHANGES.row(it, {}), snapshot=False)
        return row[0] if row else 0

    async def newest(self) -> Mapping[str, int]:
        return await self._database.read(
            lambda it: {row.parent: row.revision for row in it.execute(_STANDING)}
        )

    async def get(self, parent: str, number: int = 0) -> Revision | None:
        at = {"b_parent": parent, "b_limit": 1, "b_revision": number}
        query = _AT if number else _OF_PARENT
        row = await self._database.read(lambda it: it.execute(query, at).one_or_none())
        return _revision(row) if row is not None else None

    async def put(
        self, parent: str, rules: Sequence[Rule], comment: str, expected: int | None
    ) -> Revision:
        by, creator, created_us = Author(trail_outbox), current_principal().actor, self._now_us()

        def store(connection: Connection) -> Revision:
            _lock(connection)
            row = connection.execute(_OF_PARENT, {"b_parent": parent, "b_limit": 1}).one_or_none()
            before = _revision(row) if row is not None else Revision(parent)
            if before.rules == tuple(rules):
                return before
            if expected not in (None, before.number):
                raise DomainError(Reason.ETAG_MISMATCH, resource=f"routes of {parent}")
            number = before.number + 1
            revision = Revision(parent, number, tuple(rules), creator, created_us, comment)
            connection.execute(insert(routes), _row(revision))
            connection.execute(_FORGET, {"b_parent": parent, "b_revision": number - KEPT})
            connection.execute(_NEXT_CHANGE)
            told = audit_pb2.RoutesSet(resource=resource_of_parent(parent), revision=number)
            by.note(connection, routes_set=told)
            return revision

        return await self._database.write(store)

    async def revisions(self, parent: str, before: int, limit: int) -> Sequence[Revision]:
        at = {"b_parent": parent, "b_limit": limit, "b_revision": before}
        query = _ABOUT_BEFORE if before else _ABOUT
        return await self._database.read(
            lambda it: [_without_rules(row) for row in it.execute(query, at)]
        )


def _lock(connection: Connection) -> None:
    """Whoever changes some waits for whoever changes others: so numbers are right."""
    _FIRST_CHANGE.run(connection, [{"one": 1, "changes": 0}])
    connection.execute(_HOLD)


def _row(it: Revision) -> dict[str, Any]:
    rules = Routes(rules=map(rule_message, it.rules)).SerializeToString(deterministic=True)
    return {
        "parent": it.parent,
        "revision": it.number,
        "rule_count": len(it.rules),
        "rules": rules,
        "creator": it.creator,
        "created_us": it.created_us,
        "comment": it.comment,
    }


def _revision(row: Any) -> Revision:
    rules = Routes.FromString(row.rules).rules
    return replace(_without_rules(row), rules=tuple(map(rule_of, rules)))


def _without_rules(row: Any) -> Revision:
    return Revision(row.parent, row.revision, (), row.creator, row.created_us, row.comment)
