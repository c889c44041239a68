"""What was spent, summed by the database over the ledger's table."""

from collections.abc import Mapping, Sequence
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
    union_all,
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
    Key.API_KEY: ("api_key_id",),
}
_SUMS = (
    *Quantities._fields,
    *("micros", "estimated", "ended", "running", "held_micros", "held_tokens"),
)
_IDS = "user_id", "conversation_id", "workspace_id", "api_key_id"


class SqlSpending:
    """A :class:`~antiphon_server.integration.budgets.ports.SpendingReader` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def portions(self, wanted: SpendingQuery) -> Sequence[Portion]:
        query = _query(wanted)
        return await self._database.read(lambda it: [_portion(row) for row in it.execute(query)])


def _query(wanted: SpendingQuery) -> Select[Any]:
    names = [name for key in sorted(wanted.keys) for name in _COLUMNS[key]]
    summed = _together([_ended(wanted, names), _running(wanted, names)], names)
    keys = [summed.c[name] for name in names]
    rank = func.dense_rank().over(order_by=keys) if keys else literal(1)
    ranked = select(summed, rank.label("rank")).subquery()
    return (
        select(ranked)
        .where(ranked.c.rank <= wanted.limit)
        .order_by(*(ranked.c[name] for name in (*names, "currency")))
    )


def _ended(wanted: SpendingQuery, names: Sequence[str]) -> Select[Any]:
    """The sums of calls that have ended: nearly all, so nothing is joined to them."""
    values = calls.c.cost_micros, case((calls.c.estimated, 1), else_=0).label("is_estimated")
    quantities = [calls.c[name] for name in Quantities._fields]
    which = [
        calls.c.outcome.is_not(None),
        calls.c.start_us >= wanted.start_us,
        calls.c.start_us < wanted.end_us,
    ]
    if wanted.workspace_id:
        which.append(calls.c.workspace_id == wanted.workspace_id)
    each = _began(wanted, which, *quantities, *values).subquery()
    sums: dict[str, ColumnElement[Any]] = {
        name: func.sum(each.c[name]) for name in Quantities._fields
    }
    sums["micros"] = func.sum(func.coalesce(each.c.cost_micros, 0))
    sums["estimated"], sums["ended"] = func.sum(each.c.is_estimated), func.count()
    return _grouped(each, names, sums, wanted.after)


def _running(wanted: SpendingQuery, names: Sequence[str]) -> Select[Any]:
    """The number of calls that run, and what is reserved for them.

    They are looked for among those that are open, never by their time among all: so times and
    workspaces are expressions that no index has.
    """
    held = _held()
    at = calls.c.start_us + 0
    which = [calls.c.outcome.is_(None), at >= wanted.start_us, at < wanted.end_us]
    if wanted.workspace_id:
        which.append(calls.c.workspace_id.concat("") == wanted.workspace_id)
    each = (
        _began(wanted, which, held.c.held_micros, held.c.held_tokens)
        .outerjoin_from(calls, held, held.c.call_id == calls.c.call_id)
        .subquery()
    )
    sums: dict[str, ColumnElement[Any]] = {"running": func.count()}
    for name in ("held_micros", "held_tokens"):
        sums[name] = func.sum(func.coalesce(each.c[name], 0))
    return _grouped(each, names, sums, wanted.after)


def _began(
    wanted: SpendingQuery, which: Sequence[ColumnElement[bool]], *values: ColumnElement[Any]
) -> Select[Any]:
    """Those calls, with all that groups are made by, and ``values``."""
    return select(
        _day(wanted).label("day"),
        calls.c.model.label("target"),
        *(calls.c[name] for name in ("kind", *_IDS)),
        func.coalesce(calls.c.currency, "").label("currency"),
        *values,
    ).where(*which)


def _grouped(
    each: Subquery,
    names: Sequence[str],
    sums: Mapping[str, ColumnElement[Any]],
    after: Group | None,
) -> Select[Any]:
    """The groups' sums, each currency by itself; 0 for what is not summed."""
    keys = [each.c[name] for name in names]
    columns = [sums.get(name, literal(0, BigInteger)).label(name) for name in _SUMS]
    grouped = select(*keys, each.c.currency, *columns).group_by(*keys, each.c.currency)
    return grouped if after is None else grouped.where(_behind(keys, after, names))


def _together(parts: Sequence[Select[Any]], names: Sequence[str]) -> Subquery:
    """One row for each group and currency."""
    all_of_them = union_all(*parts).subquery()
    keys = [all_of_them.c[name] for name in (*names, "currency")]
    sums = [func.sum(all_of_them.c[name]).label(name) for name in _SUMS]
    return select(*keys, *sums).group_by(*keys).subquery()


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
