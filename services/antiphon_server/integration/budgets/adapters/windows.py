"""Budgets' windows and bookings in a SQL database, as far as they are to be forgotten.

What that is, is read beside all writers; then it is deleted by its keys, unless it has come into
use meanwhile. Nobody is waited for: what somebody has locked is left for the next time.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Table,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    tuple_,
    union_all,
)

from antiphon_server.integration.budgets.model import Over
from antiphon_server.integration.ledger.adapters.tables import bookings, calls, windows
from antiphon_server.integration.ledger.model import BudgetId, Outcome
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedIn, Row


def _free(table: Table) -> Prepared:
    """Delete the row with that key if nothing is reserved for it, and nobody has locked it."""
    columns = list(table.primary_key.columns)
    here = [column == bindparam(column.name) for column in columns]
    free = select(*columns).where(*here, table.c.reserved == 0).with_for_update(skip_locked=True)
    return Prepared(lambda: delete(table).where(*here, tuple_(*columns).in_(free)))


def _over(number: int) -> Any:
    found = select(*windows.primary_key.columns).where(
        windows.c.budget_id == bindparam(f"budget_id_{number}"),
        windows.c.start_us < bindparam(f"began_us_{number}"),
        windows.c.made_us < bindparam(f"made_us_{number}"),
        windows.c.reserved == 0,
    )
    return select(found.limit(bindparam(f"most_{number}")).subquery(f"of_{number}"))


# Each budget's by a range of the index, and no more of them than are wanted.
_OVER = PreparedIn(lambda numbers: union_all(*map(_over, numbers)).limit(bindparam("most_0")))


def _next_counting() -> Any:
    """The budgets that have windows, each found from the one before it, not one by one window."""
    first = select(func.min(windows.c.budget_id).label("budget_id")).cte("each", recursive=True)
    behind = select(func.min(windows.c.budget_id)).where(windows.c.budget_id > first.c.budget_id)
    each = first.union_all(select(behind.scalar_subquery()).where(first.c.budget_id.is_not(None)))
    return select(each.c.budget_id).where(each.c.budget_id.is_not(None))


_COUNTING = _next_counting()
# Not a join: the bookings' order is to be followed, and each one's call looked up.
_ENDED = (
    select(
        and_(
            calls.c.outcome.is_not(None),
            or_(
                calls.c.outcome != Outcome.UNKNOWN.value,
                calls.c.start_us < bindparam("given_up_us"),
            ),
        )
    )
    .where(calls.c.call_id == bookings.c.call_id)
    .scalar_subquery()
)
_BOOKED = (
    select(*bookings.primary_key.columns)
    .where(bookings.c.reserved == 0, _ENDED)
    .order_by(*bookings.primary_key.columns)
    .limit(bindparam("most"))
)
_FREE_WINDOWS, _FREE_BOOKINGS = _free(windows), _free(bookings)


class SqlWindows:
    """A :class:`~antiphon_server.integration.budgets.ports.WindowStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counting(self) -> Sequence[BudgetId]:
        return await self._database.read(
            lambda it: [BudgetId(each) for each in it.execute(_COUNTING).scalars()]
        )

    async def forget_windows(self, over: Sequence[Over], limit: int) -> int:
        asked = [{**it._asdict(), "most": limit} for it in over]
        keys = await self._database.read(lambda it: _OVER.rows(it, asked))
        return await self._forget(windows, _FREE_WINDOWS, keys)

    async def forget_bookings(self, given_up_us: int, limit: int) -> int:
        at = {"given_up_us": given_up_us, "most": limit}
        keys = await self._database.read(lambda it: [tuple(row) for row in it.execute(_BOOKED, at)])
        return await self._forget(bookings, _FREE_BOOKINGS, keys)

    async def _forget(self, table: Table, free: Prepared, keys: Sequence[Row]) -> int:
        if keys:
            names = table.primary_key.columns.keys()
            rows = [dict(zip(names, key, strict=True)) for key in keys]
            await self._database.write(lambda it: free.run_all(it, rows))
        return len(keys)
