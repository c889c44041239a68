"""Where a conversation is told of, in whose log ever, by an index in a SQL database.

An event is noted in the commit that appends it. What was there before there was an index, and what
servers of the version before append beside this one, is noted later, a few events in a transaction:
a log is up to date if its end is what is noted.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, bindparam, select, tuple_, update

from antiphon_server.events.adapters.conversations import KINDS
from antiphon_server.events.adapters.conversations import told_of as conversation_of
from antiphon_server.events.adapters.tables import log, scopes, told
from antiphon_server.events.model import NewEvent, Offset, Record, Scope
from antiphon_server.events.wire import placed
from antiphon_server.runtime.storage.statements import PreparedInsert

EVENTS_AT_ONCE = 1000
SCOPES_AT_ONCE = 100
_OWN = "conversations/"
_ADD = PreparedInsert(told, " ON CONFLICT DO NOTHING")
_IS_BEHIND = select(scopes.c.id).where(scopes.c.noted_offset < scopes.c.last_offset)
_OWN_BEHIND = _IS_BEHIND.where(scopes.c.scope == bindparam("own"))
_OTHERS_BEHIND = _IS_BEHIND.where(scopes.c.scope.not_like(f"{_OWN}%")).limit(SCOPES_AT_ONCE)
# In the order in which appends lock them.
_LOCKED = (
    select(scopes.c.id, scopes.c.noted_offset, scopes.c.last_offset)
    .where(scopes.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(scopes.c.scope)
    .with_for_update()
)
_EVENTS = select(log.c.last_offset, log.c.kind, log.c.body).where(
    log.c.scope_id == bindparam("scope_id"),
    log.c.last_offset.between(bindparam("first"), bindparam("last")),
    log.c.kind.in_(sorted(KINDS)),
)
_SET_NOTED = (
    update(scopes)
    .where(scopes.c.id == bindparam("b_scope_id"))
    .values(noted_offset=bindparam("b_noted"))
)
_TOLD = (
    select(
        *(scopes.c.scope, log.c.first_offset, log.c.last_offset),
        *(log.c.kind, log.c.time_us, log.c.body),
    )
    .select_from(told)
    .join(log, (log.c.scope_id == told.c.scope_id) & (log.c.last_offset == told.c.last_offset))
    .join(scopes, scopes.c.id == told.c.scope_id)
    .where(
        told.c.conversation_id == bindparam("conversation_id"),
        tuple_(told.c.scope_id, told.c.last_offset)
        > tuple_(bindparam("scope_id", type_=Integer), bindparam("offset", type_=BigInteger)),
    )
    .order_by(told.c.scope_id, told.c.last_offset)
    .limit(bindparam("most"))
)
_ID = select(scopes.c.id).where(scopes.c.scope == bindparam("scope"))


def told_rows(scope_id: int, first: int, events: Sequence[NewEvent]) -> Iterator[dict[str, Any]]:
    """What is to be noted of events that are appended from ``first`` on."""
    for offset, event in enumerate(events, first):
        if conversation_id := conversation_of(event.kind, event.body):
            yield _row(conversation_id, scope_id, offset)


def told_of(
    connection: Connection, resource: str, after: tuple[Scope, Offset] | None, most: int
) -> list[tuple[Scope, Record]]:
    """See :meth:`LogStore.told_of`."""
    scope, offset = after or (Scope(""), Offset(0))
    scope_id = connection.execute(_ID, {"scope": scope}).scalar() or 0
    values = {"conversation_id": resource, "scope_id": scope_id, "offset": offset, "most": most}
    return [
        (Scope(scope), placed(kind, bytes(body), first, last, time_us))
        for scope, first, last, kind, time_us, body in connection.execute(_TOLD, values)
    ]


def own_behind(connection: Connection, resource: str) -> list[int]:
    """The number of the conversation's own log, if it is not up to date."""
    return list(connection.execute(_OWN_BEHIND, {"own": f"{_OWN}{resource}"}).scalars())


def others_behind(connection: Connection) -> list[int]:
    """Those of some logs that are not up to date, but for conversations' own.

    There is no index of them: it would be written with each append. All logs are looked at.
    """
    return list(connection.execute(_OTHERS_BEHIND).scalars())


def note(connection: Connection, scope_ids: Sequence[int]) -> None:
    """Note what some more events of these logs tell."""
    rows: list[dict[str, Any]] = []
    noted: list[dict[str, int]] = []
    left = EVENTS_AT_ONCE
    for scope_id, known, end in connection.execute(_LOCKED, {"ids": scope_ids}).all():
        if known >= end or left <= 0:
            continue
        upto = min(known + left, end)
        left -= upto - known
        those = {"scope_id": scope_id, "first": known + 1, "last": upto}
        for offset, kind, body in connection.execute(_EVENTS, those):
            if conversation_id := conversation_of(kind, bytes(body)):
                rows.append(_row(conversation_id, scope_id, offset))
        noted.append({"b_scope_id": scope_id, "b_noted": upto})
    _ADD.run(connection, rows)
    if noted:
        connection.execute(_SET_NOTED, noted)


def _row(conversation_id: str, scope_id: int, offset: int) -> dict[str, Any]:
    return {"conversation_id": conversation_id, "scope_id": scope_id, "last_offset": offset}
