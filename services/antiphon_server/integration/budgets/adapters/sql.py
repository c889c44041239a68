"""Budgets in a SQL database."""

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from antiphon.auth.v1 import audit_pb2
from antiphon_server.integration.budgets.adapters.tables import budget_version, budgets
from antiphon_server.integration.budgets.model import (
    MOST_BUDGETS,
    WHATEVER,
    Budget,
    BudgetName,
    Counts,
    Parent,
    Scope,
    Seen,
    Span,
    Standing,
    Subject,
    Terms,
    WhenExceeded,
)
from antiphon_server.integration.budgets.spans import bounds
from antiphon_server.integration.ledger.adapters import reserving
from antiphon_server.integration.ledger.adapters.tables import windows
from antiphon_server.integration.ledger.model import BudgetId, Counted, Use, Window
from antiphon_server.integration.trail.adapters.outbox import Author
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedIn, PreparedInsert
from antiphon_server.runtime.telemetry.structured import structlog
from antiphon_server.runtime.trail.outbox import resource_of_parent

_HERE = and_(budgets.c.parent == bindparam("b_parent"), budgets.c.name == bindparam("b_name"))
_READ = select(budgets).where(_HERE)
_ALL = select(budgets).order_by(budgets.c.parent, budgets.c.name)
_COUNT = select(func.count()).where(budgets.c.parent == bindparam("b_parent"))
_LISTED = (
    select(budgets)
    .where(budgets.c.parent == bindparam("b_parent"), budgets.c.name > bindparam("b_after"))
    .order_by(budgets.c.name)
    .limit(bindparam("b_limit"))
)
_LISTED_OF = _LISTED.where(
    budgets.c.scope == bindparam("b_scope"),
    or_(budgets.c.subject == "", budgets.c.subject == bindparam("b_subject")),
)
_DELETE = delete(budgets).where(_HERE)
_FIRST_VERSION = PreparedInsert(budget_version, " ON CONFLICT DO NOTHING")
_NEXT_VERSION = update(budget_version).values(version=budget_version.c.version + 1)
_VERSION = Prepared(lambda: select(budget_version.c.version))
_USED = windows.c.spent + windows.c.reserved


def _present(number: int) -> Select[Any]:
    """The windows of one budget that begin then."""
    columns = windows.c.budget_id, windows.c.subject, windows.c.spent, windows.c.reserved
    return select(*columns).where(
        windows.c.budget_id == bindparam(f"budget_id_{number}"),
        windows.c.start_us == bindparam(f"start_us_{number}"),
    )


def _most_used(number: int) -> Any:
    most = _present(number).order_by(_USED.desc(), windows.c.subject)
    return select(most.limit(bindparam(f"limit_{number}")).subquery(f"of_{number}"))


def _of_one(number: int) -> Any:
    return _present(number).where(windows.c.subject == bindparam(f"subject_{number}"))


# Each budget's windows by themselves: ranked in one query, all that there are would be read.
_STANDINGS = PreparedIn(lambda numbers: union_all(*map(_most_used, numbers)))
_STANDINGS_OF = PreparedIn(lambda numbers: union_all(*map(_of_one, numbers)))

logger = structlog.get_logger(__name__)


def _now_us() -> int:
    return time.time_ns() // 1000


class SqlBudgets:
    """A :class:`~antiphon_server.integration.budgets.ports.BudgetStore` in a SQL database."""

    def __init__(self, database: Database, now_us: Callable[[], int] = _now_us) -> None:
        self._database, self._now_us = database, now_us

    async def put(
        self,
        parent: Parent,
        name: BudgetName,
        counts: Counts,
        terms: Terms,
        seen: Seen = WHATEVER,
    ) -> Budget:
        now, by, fresh_id = self._now_us(), Author(), BudgetId(new_id("budget"))
        fresh = Budget(fresh_id, parent, name, counts, terms, now, now, now)
        resource = resource_of_parent(parent)

        def store(connection: Connection) -> Budget:
            before = _locked(connection, parent, name)
            if before and (before.counts, before.terms) == (counts, terms):
                return before
            _check(name, before, seen)
            if before is None and _count(connection, parent) >= MOST_BUDGETS:
                most = f"{MOST_BUDGETS} budgets of a parent"
                raise DomainError(Reason.LIMIT_EXCEEDED, limit=most)
            budget = _changed(before, fresh)
            if before and before.counts == counts and before.terms.warn_at != terms.warn_at:
                reserving.warn_anew(connection, budget.budget_id, _present_start(budget))
            connection.execute(_DELETE, _at(parent, name))
            connection.execute(insert(budgets), _row(budget))
            event = audit_pb2.BudgetPut(resource=resource, name=name, limit=terms.limit)
            by.note(connection, budget_put=event)
            return budget

        return await self._database.write(store)

    async def delete(self, parent: Parent, name: BudgetName) -> None:
        by = Author()
        event = audit_pb2.BudgetDeleted(resource=resource_of_parent(parent), name=name)

        def remove(connection: Connection) -> None:
            if _locked(connection, parent, name) is not None:
                connection.execute(_DELETE, _at(parent, name))
                by.note(connection, budget_deleted=event)

        await self._database.write(remove)

    async def all(self) -> Sequence[Budget]:
        return await self._database.read(lambda it: _budgets(it.execute(_ALL)))

    async def version(self) -> int:
        row = await self._database.read(lambda it: _VERSION.row(it, {}), snapshot=False)
        return row[0] if row else 0

    async def listed(
        self, parent: Parent, after: str, limit: int, of: Subject | None = None
    ) -> Sequence[Budget]:
        statement, at = _LISTED, {"b_parent": parent, "b_after": after, "b_limit": limit}
        if of is not None:
            statement = _LISTED_OF
            at |= {"b_scope": of.scope.value, "b_subject": of.name}
        return await self._database.read(lambda it: _budgets(it.execute(statement, at)))

    async def uses(self, wanted: Collection[Window]) -> Mapping[Window, Use]:
        at = {(it.budget_id, it.subject): it for it in wanted}
        asked = [it._asdict() for it in at.values()]
        rows = await self._database.read(lambda it: _STANDINGS_OF.rows(it, asked), snapshot=False)
        return {at[row[0], row[1]]: Use(row[2], row[3]) for row in rows}

    async def standings(
        self,
        starts: Mapping[BudgetId, tuple[int, int]],
        limit: int,
        of: Subject | None = None,
    ) -> Mapping[BudgetId, Sequence[Standing]]:
        wanted = {"limit": limit} if of is None else {"subject": of.name}
        asked = [
            {"budget_id": budget_id, "start_us": start_us, **wanted}
            for budget_id, (start_us, _) in starts.items()
        ]
        statement = _STANDINGS if of is None else _STANDINGS_OF
        found = await self._database.read(lambda it: set(statement.rows(it, asked)))
        standings: dict[BudgetId, list[Standing]] = {it: [] for it in starts}
        for budget_id, subject, spent, reserved in sorted(found, key=_by_use):
            use, times = Use(spent, reserved), starts[budget_id]
            standings[budget_id].append(Standing(subject, *times, use))
        return standings


def _locked(connection: Connection, parent: Parent, name: BudgetName) -> Budget | None:
    """The budget; whoever changes one waits for whoever changes another."""
    _FIRST_VERSION.run(connection, [{"one": 1, "version": 0}])
    connection.execute(_NEXT_VERSION)
    row = connection.execute(_READ, _at(parent, name)).one_or_none()
    return None if row is None else _understood(row)


def _check(name: BudgetName, before: Budget | None, seen: Seen) -> None:
    """Raises DomainError ALREADY_EXISTS, ETAG_MISMATCH."""
    if seen.must_be_new and before is not None:
        raise DomainError(Reason.ALREADY_EXISTS, resource=f"budget {name}")
    if seen.etag and (before is None or before.etag != seen.etag):
        raise DomainError(Reason.ETAG_MISMATCH, resource=f"budget {name}")


def _changed(before: Budget | None, fresh: Budget) -> Budget:
    """It as it shall be kept: what is counted as before goes on."""
    if before is None:
        return fresh
    made = replace(fresh, created_us=before.created_us)
    if before.counts != fresh.counts:
        return made
    return replace(made, budget_id=before.budget_id, counted_us=before.counted_us)


def _by_use(row: tuple[Any, ...]) -> tuple[int, str]:
    """The most used first."""
    _, subject, spent, reserved = row
    return -(spent + reserved), subject


def _present_start(budget: Budget) -> int:
    return bounds(budget.counts.span, budget.counts.time_zone, budget.updated_us)[0]


def _count(connection: Connection, parent: Parent) -> int:
    return int(connection.execute(_COUNT, {"b_parent": parent}).scalar_one())


def _at(parent: Parent, name: BudgetName) -> dict[str, str]:
    return {"b_parent": parent, "b_name": name}


def _row(budget: Budget) -> dict[str, Any]:
    counts, terms = budget.counts, budget.terms
    return {
        "parent": budget.parent,
        "name": budget.name,
        "budget_id": budget.budget_id,
        "scope": counts.scope.value,
        "subject": counts.subject,
        "span": counts.span.value,
        "time_zone": counts.time_zone,
        "counted": counts.counted.value,
        "currency": counts.currency,
        "targets": json.dumps(counts.targets),
        "most": terms.limit,
        "when_exceeded": terms.when_exceeded.value,
        "warn_percent": terms.warn_percent,
        "created_us": budget.counted_us,
        "made_us": budget.created_us,
        "updated_us": budget.updated_us,
    }


def _budgets(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Budget]:
    return [it for row in rows if (it := _understood(row)) is not None]


def _understood(row: Row[*tuple[Any, ...]]) -> Budget | None:
    """The budget; None for one of a newer server that counts by what this one doesn't know."""
    try:
        return _budget(row)
    except ValueError as unknown:
        logger.warning("a budget is not understood, and not kept to", budget=row.name, why=unknown)
        return None


def _budget(row: Row[*tuple[Any, ...]]) -> Budget:
    counts = Counts(
        Scope(row.scope),
        row.subject,
        Span(row.span),
        row.time_zone,
        Counted(row.counted),
        row.currency,
        tuple(json.loads(row.targets)),
    )
    terms = Terms(row.most, WhenExceeded(row.when_exceeded), row.warn_percent)
    named = BudgetId(row.budget_id), Parent(row.parent), BudgetName(row.name)
    made_us = row.made_us or row.created_us
    return Budget(*named, counts, terms, made_us, row.created_us, row.updated_us)
