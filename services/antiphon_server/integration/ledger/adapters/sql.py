"""The ledger in a SQL database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)

from antiphon_server.integration.ledger.adapters.row import (
    call_of,
    filter_values,
    opened_values,
    settled_values,
    total_of,
)
from antiphon_server.integration.ledger.adapters.tables import calls
from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    Outcome,
    Quantities,
    SettledCall,
    Settlement,
    Usage,
    UsageFilter,
)
from antiphon_server.runtime.concurrency.grouping import Grouped
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert

_OPEN = PreparedInsert(calls)
_SETTLED_COLUMNS = (
    "outcome",
    "duration_ms",
    *Quantities._fields,
    "estimated",
    "currency",
    "cost_micros",
    "error_reason",
    "provider_status",
    "provider_message",
)
_GIVEN_UP: ColumnElement[int] = literal_column(str(Outcome.UNKNOWN.value))
_SETTLE = Prepared(
    lambda: (
        update(calls)
        .where(
            calls.c.call_id == bindparam("b_call_id"),
            # Others may have given up a server that only stood still.
            or_(calls.c.outcome.is_(None), calls.c.outcome == _GIVEN_UP),
        )
        .values(dict.fromkeys(_SETTLED_COLUMNS))  # each bound by its name
    )
)
_ABANDON = (
    update(calls)
    .where(calls.c.owner == bindparam("b_owner"), calls.c.outcome.is_(None))
    .values(outcome=Outcome.UNKNOWN.value)
)
_WANTED = and_(
    calls.c.workspace_id == bindparam("workspace_id"),
    calls.c.start_us >= bindparam("start_us"),
    calls.c.start_us < bindparam("end_us"),
    or_(bindparam("turn_id") == "", calls.c.turn_id == bindparam("turn_id")),
    or_(
        bindparam("conversation_id") == "",
        calls.c.conversation_id == bindparam("conversation_id"),
    ),
    calls.c.outcome.is_not(None),
)
_NEWEST = (
    select(calls)
    .where(_WANTED)
    .order_by(calls.c.start_us.desc(), calls.c.call_id.desc())
    .limit(bindparam("limit"))
)
_NEWEST_BEFORE = _NEWEST.where(
    or_(
        calls.c.start_us < bindparam("before_us"),
        and_(calls.c.start_us == bindparam("before_us"), calls.c.call_id < bindparam("before_id")),
    )
)


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(column), 0)


_CHARGED = case((calls.c.cost_micros > 0, calls.c.currency))
_TOTAL = select(
    *[_sum(calls.c[name]).label(name) for name in Quantities._fields],
    _sum(case((calls.c.estimated, 1), else_=0)).label("estimates"),
    _sum(calls.c.cost_micros).label("cost_micros"),
    _sum(case((calls.c.cost_micros.is_(None), 1), else_=0)).label("unpriced"),
    func.min(_CHARGED).label("currency"),
    func.max(_CHARGED).label("other_currency"),
).where(_WANTED)


class SqlLedger:
    """A :class:`~antiphon_server.integration.ledger.ports.Ledger` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._opened = Grouped(self._open_all)
        self._settled = Grouped(self._settle_all)

    async def close(self) -> None:
        await self._opened.close()
        await self._settled.close()

    async def open(self, call: Call, owner: str) -> None:
        await self._opened.add(opened_values(call, owner))

    async def settle(self, call_id: CallId, settlement: Settlement) -> None:
        await self._settled.add({"b_call_id": call_id, **settled_values(settlement)})

    async def _open_all(self, rows: Sequence[dict[str, Any]]) -> list[None]:
        await self._database.write(lambda it: _OPEN.run(it, rows), short=True)
        return [None] * len(rows)

    async def _settle_all(self, rows: Sequence[dict[str, Any]]) -> list[None]:
        await self._database.write(lambda it: _SETTLE.run_all(it, rows), short=True)
        return [None] * len(rows)

    async def abandon(self, owner: str) -> int:
        row = {"b_owner": owner}
        return await self._database.write(
            lambda connection: int(connection.execute(_ABANDON, row).rowcount)
        )

    async def calls(
        self, wanted: UsageFilter, before: tuple[int, CallId] | None, limit: int
    ) -> list[SettledCall]:
        values: dict[str, object] = {**filter_values(wanted), "limit": limit}
        if before is not None:
            values |= {"before_us": before[0], "before_id": before[1]}
        query = _NEWEST if before is None else _NEWEST_BEFORE
        return await self._database.read(
            lambda connection: [call_of(row) for row in connection.execute(query, values)]
        )

    async def total(self, wanted: UsageFilter) -> Usage:
        return await self._database.read(
            lambda connection: total_of(connection.execute(_TOTAL, filter_values(wanted)).one())
        )
