"""The logs in a SQL database."""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from antiphon_server.events.adapters.sql_append import Appending, new_scope
from antiphon_server.events.adapters.sql_commits_after import (
    commits_after,
    has_commits_after,
    moved_from,
)
from antiphon_server.events.adapters.sql_fold import NOTHING, fold
from antiphon_server.events.adapters.sql_told import note, others_behind, own_behind, told_of
from antiphon_server.events.adapters.tables import fences, log, requests, scopes
from antiphon_server.events.model import (
    Append,
    Appended,
    Commit,
    Epoch,
    Folded,
    Head,
    Offset,
    Page,
    Record,
    Scope,
)
from antiphon_server.events.wire import placed
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert


def _the_head() -> Select[Any]:
    columns = (scopes.c.id, scopes.c.epoch, scopes.c.last_offset, scopes.c.earliest_offset)
    return select(*columns).where(scopes.c.scope == bindparam("scope"))


_HEAD = Prepared(_the_head)
# Whoever changes a log has the lock that appends take: what was read stays until the commit.
_LOCKED_HEAD = Prepared(lambda: _the_head().with_for_update())
_FEW = 64
"""Of logs that are looked at on the event loop."""
_TRUSTED_S = 60.0
"""So long it is not looked again whether a server of the version before has told of something that
is not noted; beside SQLite there is none."""
_CREATE = PreparedInsert(scopes, " ON CONFLICT DO NOTHING")
_AFTER = (
    select(log.c.first_offset, log.c.last_offset, log.c.time_us, log.c.kind, log.c.body)
    .where(log.c.scope_id == bindparam("scope_id"), log.c.last_offset > bindparam("after"))
    .order_by(log.c.last_offset)
    .limit(bindparam("max_events"))
)
_AFTER_OF_KINDS = _AFTER.where(log.c.kind.in_(bindparam("kinds", expanding=True)))


def _that_fit(query: Select[Any]) -> Select[Any]:
    """Without the rows in front of which ``max_bytes`` are used up already.

    A driver that fetches whole results, as Postgres' does, would hold them all otherwise.
    """
    found = query.subquery()
    before = func.sum(func.length(found.c.body)).over(order_by=found.c.last_offset)
    placed_rows = select(found, (before - func.length(found.c.body)).label("before")).subquery()
    columns = [column for column in placed_rows.c if column.name != "before"]
    fits = placed_rows.c.before <= bindparam("max_bytes")
    return select(*columns).where(fits).order_by(placed_rows.c.last_offset)


_AFTER_WHOLE, _AFTER_OF_KINDS_WHOLE = _that_fit(_AFTER), _that_fit(_AFTER_OF_KINDS)
_TRIM = delete(log).where(
    log.c.scope_id == bindparam("scope_id"), log.c.last_offset < bindparam("before")
)
_EARLIEST = select(log.c.first_offset).where(log.c.scope_id == bindparam("scope_id"))
_SET_EARLIEST = (
    update(scopes)
    .where(scopes.c.id == bindparam("b_scope_id"))
    .values(earliest_offset=bindparam("b_earliest"))
)


class SqlLogStore:
    """A :class:`~antiphon_server.events.ports.LogStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._others_noted_until = 0.0

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        short = all(append.redaction is None for append in batch)
        return await self._database.write(
            lambda connection: Appending(connection).run(batch), short=short
        )

    async def head(self, scope: Scope) -> Head:
        found = await self._database.read(
            lambda connection: _head(connection, scope), snapshot=False
        )
        if found is None:
            found = await self._database.write(lambda connection: _create(connection, scope))
        return found[1]

    async def read(
        self, scope: Scope, after: Offset, max_events: int, max_bytes: int, kinds: Collection[int]
    ) -> Page:
        return await self._database.read(
            lambda connection: _read(connection, scope, after, max_events, max_bytes, kinds)
        )

    async def commits_after(
        self, after: Mapping[Scope, Offset], max_events: int
    ) -> Sequence[Commit]:
        if not await self._database.read(lambda it: has_commits_after(it, after), snapshot=False):
            return ()
        return await self._database.read(
            lambda connection: commits_after(connection, after, max_events)
        )

    async def moved_from(self, places: Mapping[Scope, str]) -> Sequence[Scope]:
        few = len(places) <= _FEW  # many take longer than the event loop may be held up
        return await self._database.read(lambda it: moved_from(it, places), snapshot=not few)

    async def fold(self, scope: Scope, turn_id: str) -> Folded:
        return await self._database.write(lambda connection: _fold(connection, scope, turn_id))

    async def told_of(
        self, resource: str, after: tuple[Scope, Offset] | None, most: int
    ) -> Sequence[tuple[Scope, Record]]:
        if after is None:
            await self._note(lambda it: own_behind(it, resource), 0.0)
            if time.monotonic() >= self._others_noted_until:
                await self.note_told()
        return await self._database.read(lambda it: told_of(it, resource, after, most))

    async def note_told(self, pause_s: float = 0.0) -> None:
        await self._note(others_behind, pause_s)
        longer = _TRUSTED_S if self._database.shared else math.inf
        self._others_noted_until = time.monotonic() + longer

    async def _note(self, behind: Callable[[Connection], list[int]], pause_s: float) -> None:
        while scope_ids := await self._database.read(behind):
            await self._database.write(lambda it, those=scope_ids: note(it, those))  # type: ignore[misc]
            await asyncio.sleep(pause_s)

    async def scrub(self) -> None:
        await self._database.scrub((log.name,))

    async def trim(self, scope: Scope, before: Offset) -> Offset:
        return await self._database.write(lambda connection: _trim(connection, scope, before))

    async def forget_requests(self, before_us: int) -> int:
        def forget(connection: Connection) -> int:
            connection.execute(delete(fences).where(fences.c.time_us < before_us))
            old = delete(requests).where(requests.c.time_us < before_us)
            return connection.execute(old).rowcount

        return await self._database.write(forget)


def _head(connection: Connection, scope: Scope, *, locked: bool = False) -> tuple[int, Head] | None:
    query = _LOCKED_HEAD if locked else _HEAD
    row = query.row(connection, {"scope": scope})
    if row is None:
        return None
    scope_id, epoch, last, earliest = row
    return scope_id, Head(Epoch(epoch), Offset(last), Offset(earliest))


def _create(connection: Connection, scope: Scope) -> tuple[int, Head]:
    # Somebody else may be first.
    _CREATE.run(connection, [new_scope(scope)])
    found = _head(connection, scope)
    assert found is not None
    return found


def _read(
    connection: Connection,
    scope: Scope,
    after: Offset,
    max_events: int,
    max_bytes: int,
    kinds: Collection[int],
) -> Page:
    found = _head(connection, scope)
    if found is None:
        return Page([], after, at_head=True)
    scope_id, head = found
    bound: dict[str, Any] = {"scope_id": scope_id, "after": after, "max_events": max_events}
    if connection.dialect.name == "sqlite":  # gives row by row
        query = _AFTER_OF_KINDS if kinds else _AFTER
    else:
        query = _AFTER_OF_KINDS_WHOLE if kinds else _AFTER_WHOLE
        bound["max_bytes"] = max_bytes
    rows = connection.execute(query, bound | ({"kinds": list(kinds)} if kinds else {}))
    records: list[Record] = []
    size = 0
    for first, last, time_us, kind, body in rows:
        size += len(body)
        if size > max_bytes and records:
            break
        records.append(placed(kind, body, first, last, time_us))
    else:
        if len(records) < max_events and size <= max_bytes:
            return Page(records, max(after, head.last), at_head=True)
    rows.close()
    return Page(records, records[-1].last, at_head=records[-1].last == head.last)


def _fold(connection: Connection, scope: Scope, turn_id: str) -> Folded:
    found = _head(connection, scope, locked=True)
    return NOTHING if found is None else fold(connection, found[0], turn_id)


def _trim(connection: Connection, scope: Scope, before: Offset) -> Offset:
    found = _head(connection, scope, locked=True)
    if found is None:
        return Offset(1)
    scope_id, head = found
    before = min(before, Offset(head.last + 1))
    connection.execute(_TRIM, {"scope_id": scope_id, "before": before})
    left = connection.execute(
        _EARLIEST.order_by(log.c.last_offset).limit(1), {"scope_id": scope_id}
    ).scalar()
    earliest = Offset(head.last + 1 if left is None else left)
    connection.execute(_SET_EARLIEST, {"b_scope_id": scope_id, "b_earliest": earliest})
    return earliest
