"""How far memories of others were told, in a SQL database."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from antiphon.auth.v1 import audit_pb2
from antiphon_server.memory.adapters.memory_rows import memory_in
from antiphon_server.memory.adapters.tables import (
    external_cursors,
    external_forgets,
    externals,
    memories,
    scopes,
    trail_outbox,
)
from antiphon_server.memory.external.model import Behind, Change, Standing, Waiting
from antiphon_server.memory.remembered import State
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedInsert
from antiphon_server.runtime.trail.outbox import Author

COUNTED = 10_000
"""More changes that wait are not counted."""
LATEST_US = 3_600_000_000
"""At least so often it is asked whether what was to go is gone."""
_NAME: Any = bindparam("b_name")
_MAKE = PreparedInsert(externals, " ON CONFLICT DO NOTHING")
_CLAIM = (
    update(externals)
    .where(
        externals.c.name == _NAME,
        or_(
            externals.c.owner == bindparam("b_owner"),
            externals.c.lease_us < bindparam("b_now"),
            bindparam("b_alone"),
        ),
    )
    .values(owner=bindparam("b_owner"), lease_us=bindparam("b_until"))
    .returning(externals.c.store_id, externals.c.generation)
)
_ANEW = (
    update(externals)
    .where(externals.c.name == _NAME)
    .values(
        generation=externals.c.generation + 1,
        store_id=func.coalesce(bindparam("b_store"), externals.c.store_id),
    )
)
_DROP_CURSORS = delete(external_cursors).where(external_cursors.c.name == _NAME)
_DROP_FORGETS = delete(external_forgets).where(external_forgets.c.name == _NAME)
_TOLD = func.coalesce(external_cursors.c.revision, literal(0))
_SCOPES = scopes.outerjoin(
    external_cursors,
    and_(external_cursors.c.name == _NAME, external_cursors.c.scope == scopes.c.scope),
)
_LATER = and_(memories.c.scope == scopes.c.scope, memories.c.revision > _TOLD)
_BEHIND = (
    select(scopes.c.scope, scopes.c.revision.label("newest"), memories.c.revision, memories.c.body)
    .select_from(_SCOPES.outerjoin(memories, _LATER))
    .where(scopes.c.revision > _TOLD)
    .order_by(scopes.c.scope, memories.c.revision)
    .limit(bindparam("b_limit"))
)
_WAITING = select(func.count()).select_from(
    select(memories.c.memory_id)
    .select_from(_SCOPES.join(memories, _LATER))
    .where(scopes.c.revision > _TOLD)
    .limit(COUNTED)
    .subquery()
)
_UNCONFIRMED = select(func.count(), func.min(external_forgets.c.told_us)).where(
    external_forgets.c.name == _NAME
)
_STANDING = select(externals.c.store_id, externals.c.generation).where(externals.c.name == _NAME)
_REACHED = PreparedInsert(
    external_cursors,
    " ON CONFLICT (name, scope) DO UPDATE SET revision = excluded.revision"
    " WHERE memory_external_cursors.revision < excluded.revision",
)
_TO_GO = PreparedInsert(
    external_forgets,
    " ON CONFLICT (name, memory_id) DO UPDATE"
    " SET revision = excluded.revision, asked = 0, next_us = excluded.next_us",
)
_THOSE = and_(
    external_forgets.c.name == _NAME,
    external_forgets.c.memory_id.in_(bindparam("b_ids", expanding=True)),
)
_CONFIRMED = delete(external_forgets).where(_THOSE)
_DUE = (
    select(
        external_forgets.c.memory_id,
        external_forgets.c.scope,
        external_forgets.c.revision,
    )
    .where(external_forgets.c.name == _NAME, external_forgets.c.next_us <= bindparam("b_now"))
    .order_by(external_forgets.c.next_us)
    .limit(bindparam("b_limit"))
)
_ASKED = external_forgets.c.asked + 1
_ASK_LATER = (
    update(external_forgets)
    .where(_THOSE)
    .values(
        asked=_ASKED,
        next_us=bindparam("b_now")
        + case((_ASKED < 60, _ASKED * _ASKED * 1_000_000), else_=LATEST_US),
    )
)


class SqlExternalProgress:
    """See :class:`~antiphon_server.memory.external.ports.ExternalProgress`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, name: str, owner: str, now_us: int, until_us: int) -> Standing | None:
        made = {"name": name, "store_id": "", "generation": 1, "owner": "", "lease_us": 0}
        at = {
            "b_name": name,
            "b_owner": owner,
            "b_now": now_us,
            "b_until": until_us,
            "b_alone": not self._database.shared,
        }

        def work(connection: Connection) -> Standing | None:
            _MAKE.run(connection, [made])
            row = connection.execute(_CLAIM, at).one_or_none()
            return None if row is None else Standing(row.store_id, row.generation)

        return await self._database.write(work)

    async def begin_anew(self, name: str, store_id: str | None) -> None:
        by = Author(trail_outbox) if store_id is None else None

        def work(connection: Connection) -> None:
            connection.execute(_ANEW, {"b_name": name, "b_store": store_id})
            connection.execute(_DROP_CURSORS, {"b_name": name})
            if store_id is not None:  # another store has nothing to forget
                connection.execute(_DROP_FORGETS, {"b_name": name})
            if by is not None:
                told = audit_pb2.ExternalMemoryResynced(resource="global", connection=name)
                by.note(connection, external_memory_resynced=told)

        await self._database.write(work)

    async def behind(self, name: str, limit: int, now_us: int) -> Behind:
        at = {"b_name": name, "b_limit": limit}

        def work(connection: Connection) -> Behind:
            return _behind(connection.execute(_BEHIND, at).all(), limit, now_us)

        return await self._database.read(work)

    async def advance(self, name: str, standing: Standing, behind: Behind, now_us: int) -> bool:
        put = [it.memory_id for it in behind.changes if it.memory is not None]
        gone = [_forget_row(name, it, now_us) for it in behind.changes if it.memory is None]
        reached = [
            {"name": name, "scope": scope, "revision": revision}
            for scope, revision in behind.reached.items()
        ]

        def work(connection: Connection) -> bool:
            row = connection.execute(_STANDING.with_for_update(), {"b_name": name}).one_or_none()
            if row is None or Standing(*row) != standing:
                return False
            if put:
                connection.execute(_CONFIRMED, {"b_name": name, "b_ids": put})
            if gone:
                _TO_GO.run(connection, gone)
            _REACHED.run(connection, reached)
            return True

        return await self._database.write(work)

    async def unconfirmed(self, name: str, now_us: int, limit: int) -> Sequence[Change]:
        at = {"b_name": name, "b_now": now_us, "b_limit": limit}
        return await self._database.read(lambda it: [Change(*row) for row in it.execute(_DUE, at)])

    async def confirm(
        self, name: str, gone: Collection[str], left: Collection[str], now_us: int
    ) -> None:
        def work(connection: Connection) -> None:
            if gone:
                connection.execute(_CONFIRMED, {"b_name": name, "b_ids": list(gone)})
            if left:
                later = {"b_name": name, "b_ids": list(left), "b_now": now_us}
                connection.execute(_ASK_LATER, later)

        await self._database.write(work)

    async def waiting(self, name: str) -> Waiting:
        def work(connection: Connection) -> Waiting:
            changes = connection.execute(_WAITING, {"b_name": name}).scalar_one()
            count, oldest = connection.execute(_UNCONFIRMED, {"b_name": name}).one()
            return Waiting(changes, count, oldest or 0)

        return await self._database.read(work)

    async def store_id(self, name: str) -> str:
        def work(connection: Connection) -> str:
            row = connection.execute(_STANDING, {"b_name": name}).one_or_none()
            return "" if row is None else str(row.store_id)

        return await self._database.read(work)


def _behind(rows: Sequence[Any], limit: int, now_us: int) -> Behind:
    """What the rows say; of the last scope there may be more behind them."""
    changes, reached = list[Change](), dict[str, int]()
    for row in rows:
        reached[row.scope] = row.newest
        if row.body is not None:  # a revision may have changed nothing
            memory = memory_in(row.body)
            in_use = memory.state is State.ACTIVE and not memory.expired(now_us)
            told = memory if in_use else None
            changes.append(Change(memory.memory_id, row.scope, row.revision, told))
    if len(rows) == limit and rows[-1].body is not None:
        reached[rows[-1].scope] = rows[-1].revision
    return Behind(changes, reached)


def _forget_row(name: str, change: Change, now_us: int) -> dict[str, Any]:
    return {
        "name": name,
        "memory_id": change.memory_id,
        "scope": change.scope,
        "revision": change.revision,
        "told_us": now_us,
        "asked": 0,
        "next_us": now_us,
    }
