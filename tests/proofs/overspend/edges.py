"""The budgets of a run, all of which its calls fill; and what is there when all is over."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    Budget,
    BudgetName,
    Counts,
    Parent,
    Scope,
    Span,
    Terms,
)
from antiphon_server.integration.ledger.adapters.tables import bookings, calls, windows
from antiphon_server.integration.ledger.model import Counted
from antiphon_server.runtime.storage.database import Database
from tests.proofs.overspend.racing import LEAST, MOST, USERS, WORKSPACES, Served, workspace_of

MEAN = (LEAST + MOST) // 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """A run: how many calls were made of those that came, and what they took of the budgets.

    Money is in millionths; limit, spent and reserved are the installation's, overspend is what
    any of the windows, and what was served, is beyond its limit. ``edges`` are the scopes of which
    something was refused, ``wrong`` are other broken rules.
    """

    calls: int
    made: int
    refused: int
    limit: int
    spent: int
    reserved: int
    overspend: int
    edges: int
    wrong: tuple[str, ...]


class Edges:
    """Four scopes, each with about half of what its calls would take."""

    def __init__(self, database: Database) -> None:
        self._database, self._store = database, SqlBudgets(database)
        self._budgets: list[Budget] = []

    async def begin(self, run: str, calls: int) -> None:
        """Put the run's budgets in place of those of the run before."""
        for budget in self._budgets:
            await self._store.delete(budget.parent, budget.name)
        all_of_it = calls * MEAN // 2
        a_workspace = all_of_it // WORKSPACES
        self._budgets = [
            await self._put(GLOBAL, Scope.INSTALLATION, all_of_it * 99 // 100),
            await self._put(GLOBAL, Scope.USER, a_workspace // USERS + MEAN),
            await self._put(GLOBAL, Scope.API_KEY, a_workspace // USERS // 2),
        ]
        for number in range(WORKSPACES):
            parent = Parent(workspace_of(run, number))
            self._budgets.append(await self._put(parent, Scope.WORKSPACE, a_workspace))

    async def _put(self, parent: Parent, scope: Scope, limit: int) -> Budget:
        name = BudgetName(scope.name.lower())
        counts = Counts(scope, "", Span.ONCE, "", Counted.MONEY, "USD", ())
        return await self._store.put(parent, name, counts, Terms(limit))

    async def judge(self, run: str, calls_made: int, served: Served) -> Verdict:
        """Compare what was served, the windows, their bookings and the ledger."""
        limits = {str(it.budget_id): it.terms.limit for it in self._budgets}
        used = [it for it in await self._windows() if it[0] in limits]
        booked = await self._booked()
        over, wrong = 0, list[str]()
        for budget_id, subject, spent, reserved in used:
            limit, was = limits[budget_id], served.micros[subject]
            over += max(0, spent + reserved - limit, was - limit)
            if (spent, reserved) != booked[budget_id, subject] or spent != was:
                wrong.append(
                    f"{subject or 'all'}: {spent} spent, {reserved} reserved; {was} served"
                )
            if reserved:
                wrong.append(f"{subject or 'all'}: {reserved} still reserved")
        if (kept := await self._ledger(run)) != (served.made, served.micros[""]):
            wrong.append(f"the ledger has {kept}, {served.made} calls were made")
        if served.made + served.refused != calls_made:
            wrong.append("some calls came to no end")
        first = self._budgets[0]
        of_all = next((it[2:] for it in used if it[0] == first.budget_id), (0, 0))
        counted = (calls_made, served.made, served.refused, first.terms.limit)
        return Verdict(*counted, *of_all, over, len(served.edges), tuple(wrong))

    async def _windows(self) -> list[tuple[str, str, int, int]]:
        found = select(windows.c.budget_id, windows.c.subject, windows.c.spent, windows.c.reserved)
        return await self._database.read(lambda it: [(*row,) for row in it.execute(found)])

    async def _booked(self) -> dict[tuple[str, str], tuple[int, int]]:
        of = (bookings.c.budget_id, bookings.c.subject)
        sums = (func.sum(bookings.c.spent), func.sum(bookings.c.reserved))
        found = select(*of, *sums).group_by(*of)
        return await self._database.read(
            lambda it: {(row[0], row[1]): (int(row[2]), int(row[3])) for row in it.execute(found)}
        )

    async def _ledger(self, run: str) -> tuple[int, int]:
        of_run = calls.c.workspace_id.in_([workspace_of(run, it) for it in range(WORKSPACES)])
        found = select(func.count(), func.sum(calls.c.cost_micros)).where(of_run)
        count, micros = await self._database.read(lambda it: it.execute(found).one())
        return int(count), int(micros or 0)


def served_by(answers: Sequence[Mapping[str, Any]]) -> Served:
    """What several servers served together."""
    every = Served()
    for it in answers:
        counts = Counter(it["micros"]), Counter(it["edges"])
        every.add(Served(it["made"], it["refused"], *counts))
    return every
