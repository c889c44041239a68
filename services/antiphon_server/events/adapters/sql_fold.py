"""Folding in a SQL database: a turn's text deltas go, and others take over their offsets."""

from sqlalchemy import Connection, bindparam, delete, select, update

from antiphon_server.events.adapters.fold import Span, fold_spans
from antiphon_server.events.adapters.tables import log
from antiphon_server.events.model import Folded, Kind, Offset

_DELTAS = select(log.c.first_offset, log.c.last_offset).where(
    log.c.scope_id == bindparam("scope_id"),
    log.c.turn_id == bindparam("turn_id"),
    log.c.kind == Kind.TEXT_DELTA,
)
_SPANS = (
    select(log.c.first_offset, log.c.last_offset)
    .where(log.c.scope_id == bindparam("scope_id"), log.c.last_offset >= bindparam("start"))
    .order_by(log.c.last_offset)
)
_REMOVE_DELTAS = delete(log).where(
    log.c.scope_id == bindparam("scope_id"),
    log.c.turn_id == bindparam("turn_id"),
    log.c.kind == Kind.TEXT_DELTA,
    log.c.last_offset <= bindparam("up_to"),
)
_WIDEN = (
    update(log)
    .where(
        log.c.scope_id == bindparam("b_scope_id"), log.c.last_offset == bindparam("b_last_offset")
    )
    .values(first_offset=bindparam("b_first_offset"))
)
NOTHING = Folded(0, Offset(0))


def fold(connection: Connection, scope_id: int, turn_id: str) -> Folded:
    """Fold a turn in a log whose lock is held; see :meth:`LogStore.fold`."""
    of_turn = {"scope_id": scope_id, "turn_id": turn_id}
    deltas = [Span(*row) for row in connection.execute(_DELTAS, of_turn)]
    if not deltas:
        return NOTHING
    start = min(span.last for span in deltas)
    rows = connection.execute(_SPANS, {"scope_id": scope_id, "start": start})
    plan = fold_spans([Span(*row) for row in rows], set(deltas))
    if plan.up_to is None:
        return NOTHING
    removed = connection.execute(_REMOVE_DELTAS, of_turn | {"up_to": plan.up_to}).rowcount
    connection.execute(
        _WIDEN,
        [
            {"b_scope_id": scope_id, "b_last_offset": span.last, "b_first_offset": span.first}
            for span in plan.widened
        ],
    )
    return Folded(removed, plan.up_to)
