"""The ledger in a SQL database."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)

from antiphon_server.integration.ledger.adapters import reserving
from antiphon_server.integration.ledger.adapters.row import (
    call_of,
    filter_values,
    opened_values,
    settled_values,
    total_of,
    unsettled_of,
    usage_columns,
)
from antiphon_server.integration.ledger.adapters.tables import calls
from antiphon_server.integration.ledger.model import (
    NEVER_MADE,
    Call,
    CallId,
    CallKind,
    Charge,
    Counted,
    Outcome,
    Overrun,
    Payer,
    Quantities,
    Reached,
    SettledCall,
    Settlement,
    UnsettledCall,
    Usage,
    UsageFilter,
    WindowFull,
)
from antiphon_server.runtime.concurrency.grouping import Grouped
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert

_OPEN = PreparedInsert(calls)
# It waits for whoever is committing one of that id, as no other statement does.
_OPEN_IF_NONE = PreparedInsert(calls, " ON CONFLICT DO NOTHING RETURNING call_id")
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
_IS_OPEN = calls.c.outcome.is_(None)


def _settling(these: ColumnElement[bool]) -> Prepared:
    settled = update(calls).where(calls.c.call_id == bindparam("b_call_id"), these)
    values = dict.fromkeys(_SETTLED_COLUMNS)  # each bound by its name
    return Prepared(lambda: settled.values(values))


_SETTLE_OPEN = _settling(_IS_OPEN)
# Others may have given up a server that only stood still.
_UNSETTLED = or_(_IS_OPEN, calls.c.outcome == _GIVEN_UP)
_SETTLE = _settling(_UNSETTLED)
_NEWEST_OF_TURN = (
    select(calls)
    .where(
        calls.c.workspace_id == bindparam("workspace_id"),
        calls.c.start_us >= bindparam("since_us"),
        calls.c.conversation_id == bindparam("conversation_id"),
        calls.c.turn_id == bindparam("turn_id"),
        calls.c.kind == bindparam("kind"),
    )
    .order_by(calls.c.start_us.desc(), calls.c.call_id.desc())
    .limit(1)
)
_ABANDON = (
    update(calls)
    .where(calls.c.owner == bindparam("b_owner"), _IS_OPEN)
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


_Opened: TypeAlias = tuple[Call, str]
_Settled: TypeAlias = tuple[CallId, Settlement, Sequence[Charge]]


class NotOpen(Exception):
    """A call was given up or is settled already: nothing is to be committed."""


class SqlLedger:
    """A :class:`~antiphon_server.integration.ledger.ports.Ledger` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reserving = reserving.Reserving()
        self._opened = Grouped(self._open_all)
        self._settled = Grouped(self._settle_all)

    async def close(self) -> None:
        await self._opened.close()
        await self._settled.close()

    async def open(self, call: Call, owner: str) -> Sequence[Reached]:
        result = await self._opened.add((call, owner))
        if isinstance(result, WindowFull):
            raise result
        return result

    async def settle(
        self, call_id: CallId, settlement: Settlement, charges: Sequence[Charge] = ()
    ) -> Sequence[Overrun]:
        return await self._settled.add((call_id, settlement, charges))

    async def _open_all(self, opened: Sequence[_Opened]) -> list[WindowFull | Sequence[Reached]]:
        store = partial(self._store, opened)
        try:
            results = await self._database.write(store, short=True)
        except reserving.WindowsGone:
            results = await self._database.write(store, short=True)
        self._reserving.committed(call for call, _ in opened)
        return results

    def _store(
        self, opened: Sequence[_Opened], connection: Connection
    ) -> list[WindowFull | Sequence[Reached]]:
        results: list[WindowFull | Sequence[Reached]] = [()] * len(opened)
        if any(call.charges for call, _ in opened):
            results = self._reserving.reserve(connection, [call for call, _ in opened])
        made = zip(opened, results, strict=True)
        rows = [opened_values(*one) for one, what in made if not isinstance(what, WindowFull)]
        _OPEN.run(connection, rows)
        return results

    async def _settle_all(self, settled: Sequence[_Settled]) -> list[Sequence[Overrun]]:
        try:
            overruns = await self._database.write(partial(_settle_open, settled), short=True)
        except NotOpen:
            overruns = await self._database.write(partial(_settle_any, settled), short=True)
        return [overruns.get(it, ()) for it, _, _ in settled]

    async def check(self, charges: Sequence[Charge]) -> None:
        await self._database.read(lambda it: reserving.check(it, charges), snapshot=False)

    async def withdraw(self, call: Call, owner: str) -> None:
        def work(connection: Connection) -> None:
            if _OPEN_IF_NONE.returned(connection, [opened_values(call, owner)]):
                connection.execute(delete(calls).where(calls.c.call_id == call.call_id))
            else:
                _settle_any([(call.call_id, NEVER_MADE, call.charges)], connection)

        await self._database.write(work)

    async def abandon(self, owner: str) -> int:
        row = {"b_owner": owner}

        def work(connection: Connection) -> int:
            abandoned = int(connection.execute(_ABANDON, row).rowcount)
            reserving.release_lost(connection)
            return abandoned

        return await self._database.write(work)

    async def newest_unsettled(
        self, payer: Payer, kind: CallKind, since_us: int
    ) -> UnsettledCall | None:
        values = {
            "workspace_id": payer.workspace_id,
            "conversation_id": payer.conversation_id,
            "turn_id": payer.turn_id,
            "kind": kind,
            "since_us": since_us,
        }
        row = await self._database.read(
            lambda connection: connection.execute(_NEWEST_OF_TURN, values).one_or_none()
        )
        if row is None or row.outcome not in (None, Outcome.UNKNOWN.value):
            return None
        return unsettled_of(row)

    async def expect(self, call_id: CallId, usage: Usage) -> Sequence[Overrun]:
        more = (
            update(calls)
            .where(calls.c.call_id == call_id, _UNSETTLED)
            .where(calls.c.output_tokens < usage.quantities.output_tokens)
            .values(usage_columns(usage))
            .returning(calls.c.outcome)
        )

        def work(connection: Connection) -> Sequence[Overrun]:
            changed = connection.execute(more).one_or_none()
            if changed is None or changed.outcome is None:
                return ()
            return reserving.rebook(connection, call_id, _consumed(usage))

        return await self._database.write(work)

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


def _settle_open(
    settled: Sequence[_Settled], connection: Connection
) -> Mapping[CallId, Sequence[Overrun]]:
    """Settle calls that are all open: what is reserved for them is what was charged.

    Raises NotOpen.
    """
    if _SETTLE_OPEN.run_all(connection, _rows(settled)) != len(settled):
        raise NotOpen
    taken = [
        reserving.Taken(it, charges, _consumed(how.usage, made=how.made))
        for it, how, charges in settled
        if charges
    ]
    return reserving.settle_open(connection, taken) if taken else {}


def _settle_any(
    settled: Sequence[_Settled], connection: Connection
) -> Mapping[CallId, Sequence[Overrun]]:
    """Settle calls of which some were given up, are settled or were never opened."""
    consumed = dict[CallId, reserving.Consumed]()
    for it, how, charges in settled:
        if charges:  # the first settlement stands
            consumed.setdefault(it, _consumed(how.usage, made=how.made))
    overruns = reserving.settle(connection, consumed) if consumed else {}
    _SETTLE.run_all(connection, _rows(settled))
    return overruns


def _rows(settled: Sequence[_Settled]) -> list[dict[str, Any]]:
    return [{"b_call_id": it, **settled_values(how)} for it, how, _ in settled]


def _consumed(usage: Usage, *, made: bool = True) -> reserving.Consumed:
    amounts = {
        Counted.MONEY: usage.cost.micros if usage.cost is not None else None,
        Counted.TOKENS: usage.quantities.input_tokens + usage.quantities.output_tokens,
        Counted.CALLS: int(made),
    }
    return amounts.__getitem__
