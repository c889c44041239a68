"""Taking the words out of events in a SQL database, at their places."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, bindparam, or_, select, update

from antiphon_server.events.adapters.sql_fold import fold
from antiphon_server.events.adapters.tables import log
from antiphon_server.events.model import Redaction

T = TypeVar("T")
AT_ONCE = 500
"""Ids and offsets in a statement: databases take 32,766 parameters."""
_FOUND = select(log.c.last_offset, log.c.kind, log.c.body).where(
    log.c.scope_id == bindparam("scope_id"),
    log.c.last_offset.between(bindparam("first"), bindparam("last")),
    or_(
        log.c.turn_id.in_(bindparam("turn_ids", expanding=True)),
        log.c.last_offset.in_(bindparam("offsets", expanding=True)),
    ),
)
_REPLACE = (
    update(log)
    .where(
        log.c.scope_id == bindparam("b_scope_id"), log.c.last_offset == bindparam("b_last_offset")
    )
    .values(body=bindparam("b_body"))
)


def redact(connection: Connection, scope_id: int, redaction: Redaction) -> None:
    """Make it, in a log whose lock is held."""
    for turn_id in redaction.turn_ids:
        fold(connection, scope_id, turn_id)
    for turn_ids in _portions(redaction.turn_ids):
        _redact(connection, scope_id, redaction, turn_ids, [])
    for offsets in _portions(redaction.offsets):
        _redact(connection, scope_id, redaction, [], offsets)


def _redact(
    connection: Connection,
    scope_id: int,
    redaction: Redaction,
    turn_ids: Sequence[str],
    offsets: Sequence[int],
) -> None:
    bound = {"first": redaction.first, "last": redaction.last}
    those = {"scope_id": scope_id, "turn_ids": turn_ids, "offsets": offsets}
    rows = connection.execute(_FOUND, bound | those).all()
    changed = [
        {"b_scope_id": scope_id, "b_last_offset": last, "b_body": left}
        for last, kind, body in rows
        if (left := redaction.without_words(kind, bytes(body))) != bytes(body)
    ]
    if changed:
        connection.execute(_REPLACE, changed)


def _portions(those: Collection[T]) -> Iterator[Sequence[T]]:
    left = iter(those)
    while portion := list(islice(left, AT_ONCE)):
        yield portion
