"""What is new in many scopes: one query asks whether there is anything."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Connection,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from antiphon_server.events.adapters.missed_commits import MAX_MISSED_BYTES, to_read
from antiphon_server.events.adapters.tables import log, scopes
from antiphon_server.events.model import Commit, Cursor, Epoch, Offset, Record, Scope
from antiphon_server.events.wire import placed
from antiphon_server.runtime.storage.statements import PreparedIn


def _heads(places: range) -> ClauseElement:
    return select(scopes.c.scope, scopes.c.id, scopes.c.epoch, scopes.c.last_offset).where(
        scopes.c.scope.in_([bindparam(f"scope_{n}") for n in places])
    )


def _events(places: range) -> ClauseElement:
    """One search of the primary key for each scope, and no more than may be held at once."""
    behind = (
        and_(log.c.scope_id == bindparam(f"scope_id_{n}"), log.c.last_offset > bindparam(f"at_{n}"))
        for n in places
    )
    held = func.sum(func.length(log.c.body)).over(order_by=(log.c.scope_id, log.c.last_offset))
    found = select(log, held.label("held")).where(or_(*behind)).subquery()
    return (
        select(
            found.c.scope_id,
            found.c.kind,
            found.c.body,
            found.c.first_offset,
            found.c.last_offset,
            found.c.time_us,
        )
        .where(found.c.held <= literal_column(str(MAX_MISSED_BYTES)))
        .order_by(found.c.scope_id, found.c.last_offset)
    )


_HEADS = PreparedIn(_heads)
_AT_ONCE = 1024
"""Databases take 32,766 parameters of a statement, and compile a long one slowly."""
_EVENTS = PreparedIn(_events)


def has_commits_after(connection: Connection, after: Mapping[Scope, Offset]) -> bool:
    """Whether there is anything: that is asked far more often than there is."""
    return bool(_changed(connection, after))


def commits_after(
    connection: Connection, after: Mapping[Scope, Offset], max_events: int
) -> Sequence[Commit]:
    """See :meth:`LogStore.news`."""
    heads = _changed(connection, after)
    behind = {scope: last - after[scope] for scope, (_, _, last) in heads.items()}
    asked = [
        {"scope_id": heads[scope][0], "at": after[scope]} for scope in to_read(behind, max_events)
    ]
    records: dict[int, list[Record]] = {}
    for scope_id, record in _placed(connection, asked):
        records.setdefault(scope_id, []).append(record)
    return [
        Commit(scope, Epoch(epoch), Offset(last), records.get(scope_id, ()))
        for scope, (scope_id, epoch, last) in heads.items()
    ]


def moved_from(connection: Connection, places: Mapping[Scope, str]) -> Sequence[Scope]:
    """See :meth:`LogStore.moved_from`; a log that there isn't any more has moved, too."""
    asked, stand = list(places), set[str]()
    for start in range(0, len(asked), _AT_ONCE):
        rows = _HEADS.rows(connection, [{"scope": it} for it in asked[start : start + _AT_ONCE]])
        stand.update(
            scope
            for scope, _, epoch, last in rows
            if Cursor(epoch, last).encode(scope) == places[scope]
        )
    return [scope for scope in asked if scope not in stand]


def _changed(connection: Connection, after: Mapping[Scope, Offset]) -> dict[Scope, list[Any]]:
    """Number, epoch and last offset of the scopes whose heads are others."""
    found = _HEADS.rows(connection, [{"scope": scope} for scope in after])
    return {Scope(scope): head for scope, *head in found if head[2] != after[Scope(scope)]}


def _placed(
    connection: Connection, asked: Sequence[Mapping[str, int]]
) -> Iterator[tuple[int, Record]]:
    for scope_id, kind, body, first, last, time_us in _EVENTS.rows(connection, asked):
        yield scope_id, placed(kind, body, first, last, time_us)
