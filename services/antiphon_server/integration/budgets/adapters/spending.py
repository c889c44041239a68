"""What was spent, summed by the database over the ledger's table."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Row,
    Select,
    Subquery,
    case,
    false,
    func,
    literal,
    select,
    tuple_,
)

from antiphon_server.integration.budgets.spent import Group, Key, Portion, SpendingQuery
from antiphon_server.integration.ledger.adapters.tables import bookings, calls
from antiphon_server.integration.ledger.model import CallKind, Counted, Quantities
from antiphon_server.runtime.storage.database import Database

_DAY_US = 86_400_000_000
_COLUMNS: dict[Key, tuple[str, ...]] = {
    Key.DAY: ("day",),
    Key.TARGET: ("target", "kind"),
    Key.USER: ("user_id",),
    Key.CONVERSATION: ("conversation_id",),
    Key.WORKSPACE: ("workspace_id",),
}


class SqlSpending:
    """A :class:`~antiphon_server.integration.budgets.ports.SpendingReader` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def portions(self, wanted: SpendingQuery) -> Sequence[Portion]:
        query = _query(wanted)
        return await self._database.read(lambda it: [_portion(row) for row in it.execute(query)])


def _query(wanted: SpendingQuery) -> Select[Any]:
    names = [name for key in sorted(wanted.keys) for name in _COLUMNS[key]]
    summed = _summed(_began(wanted), names, wanted.after)
    keys = [summed.c[name] for name in names]
    rank = func.dense_rank().over(order_by=keys) if keys else literal(1)
    ranked = select(summed, rank.label("rank")).subquery()
    return (
        select(ranked)
        .where(ranked.c.rank <= wanted.limit)
        .order_by(*(ranked.c[name] for name in (*names, "currency")))
    )


def _began(wanted: SpendingQuery) -> Subquery:
    """The calls of the range, with what budgets hold for those that run."""
    held = _held()
    where = [calls.c.start_us >= wanted.start_us, calls.c.start_us < wanted.end_us]
    if wanted.workspace_id:
        where.append(calls.c.workspace_id == wanted.workspace_id)
    return (
        select(
            _day(wanted).label("day"),
            calls.c.model.label("target"),
            *(calls.c[name] for name in ("kind", "user_id", "conversation_id", "workspace_id")),
            *(calls.c[name] for name in (*Quantities._fields, "cost_micros")),
            func.coalesce(calls.c.currency, "").label("currency"),
            case((calls.c.estimated, 1), else_=0).label("estimated"),
            case((calls.c.outcome.is_(None), 0), else_=1).label("ended"),
            held.c.held_micros,
            held.c.held_tokens,
        )
        .select_from(calls.outerjoin(held, held.c.call_id == calls.c.call_id))
        .where(*where)
        .subquery()
    )


def _held() -> Subquery:
    """What is reserved for each call: several budgets that count it hold the same."""

    def most(counted: Counted) -> ColumnElement[int]:
        return func.max(case((bookings.c.counted == counted.value, bookings.c.reserved), else_=0))

    return (
        select(
            bookings.c.call_id,
            most(Counted.MONEY).label("held_micros"),
            most(Counted.TOKENS).label("held_tokens"),
        )
        .where(bookings.c.reserved > 0)
        .group_by(bookings.c.call_id)
        .subquery()
    )


def _day(wanted: SpendingQuery) -> ColumnElement[int]:
    *before, last = wanted.clocks
    ahead: ColumnElement[int] = literal(last.ahead_us, BigInteger)
    if before:
        ahead = case(
            *((calls.c.start_us < it.until_us, literal(it.ahead_us, BigInteger)) for it in before),
            else_=ahead,
        )
    return (calls.c.start_us + ahead) // literal(_DAY_US, BigInteger)


def _summed(began: Subquery, names: Sequence[str], after: Group | None) -> Subquery:
    """The groups' sums, each currency by itself."""
    keys = [began.c[name] for name in names]

    def ended(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.sum(case((began.c.ended == 1, column), else_=0))

    sums = select(
        *keys,
        began.c.currency,
        *(ended(began.c[name]).label(name) for name in Quantities._fields),
        ended(func.coalesce(began.c.cost_micros, 0)).label("micros"),
        ended(began.c.estimated).label("estimated"),
        func.sum(began.c.ended).label("ended"),
        func.sum(1 - began.c.ended).label("running"),
        func.sum(func.coalesce(began.c.held_micros, 0)).label("held_micros"),
        func.sum(func.coalesce(began.c.held_tokens, 0)).label("held_tokens"),
    ).group_by(*keys, began.c.currency)
    if after is not None:
        sums = sums.where(_behind(keys, after, names))
    return sums.subquery()


def _behind(
    keys: Sequence[Column[Any] | ColumnElement[Any]], after: Group, names: Sequence[str]
) -> ColumnElement[bool]:
    if not keys:
        return false()
    place = [literal(getattr(after, name), key.type) for key, name in zip(keys, names, strict=True)]
    return tuple_(*keys) > tuple_(*place)


def _portion(row: Row[*tuple[Any, ...]]) -> Portion:
    known = row._mapping
    group = Group(**{name: known[name] for name in Group._fields if name in known})
    return Portion(
        group._replace(kind=CallKind(group.kind)),
        row.currency,
        Quantities(*(int(known[name]) for name in Quantities._fields)),
        bool(row.estimated),
        int(row.ended),
        int(row.micros),
        int(row.running),
        int(row.held_micros),
        int(row.held_tokens),
    )
