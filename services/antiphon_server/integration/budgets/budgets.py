"""The budgets of the installation and of workspaces: kept, changed, and known to every server."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from antiphon_server.integration.budgets.model import (
    GLOBAL,
    WHATEVER,
    Budget,
    BudgetName,
    BudgetUse,
    Counts,
    Parent,
    Seen,
    Standing,
    Subject,
    Terms,
)
from antiphon_server.integration.budgets.ports import BudgetStore
from antiphon_server.integration.budgets.spans import bounds, zone_asked_for, zone_of
from antiphon_server.integration.ledger.model import BudgetId, Payer, Use
from antiphon_server.runtime.concurrency.tasks import every

LOOK_S = 1.0
"""How often a server looks whether others have changed budgets."""
MOST_STANDINGS = 20


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


class Budgets:
    """All budgets, in memory: so calls for which none holds wait for nothing.

    :meth:`run` looks whether other servers have changed them.
    """

    def __init__(self, store: BudgetStore, clock: Callable[[], int] = now_us) -> None:
        self._store, self._clock = store, clock
        self._by_id: Mapping[BudgetId, Budget] = {}
        self._by_parent: Mapping[Parent, Sequence[Budget]] = {}
        self._version = -1
        self._reading = asyncio.Lock()

    async def put(
        self,
        parent: Parent,
        name: BudgetName,
        counts: Counts,
        terms: Terms,
        seen: Seen = WHATEVER,
    ) -> Budget:
        """Make a budget, or change it; it holds from now on.

        Raises DomainError LIMIT_EXCEEDED, INVALID_ARGUMENT, ALREADY_EXISTS, ETAG_MISMATCH.
        """
        await zone_asked_for(counts.time_zone, "budget.time_zone")
        budget = await self._store.put(parent, name, counts, terms, seen)
        await self.refresh()
        return budget

    async def delete(self, parent: Parent, name: BudgetName) -> None:
        """Remove a budget, if it is there."""
        await self._store.delete(parent, name)
        await self.refresh()

    async def listed(
        self, parent: Parent, after: str, limit: int, of: Subject | None = None
    ) -> Sequence[BudgetUse]:
        """A parent's budgets by name, with those who have used most of the present window.

        Of a subject, those in which it has a sum, with that, also if nothing is used of it.
        """
        await self.refresh()  # which loads their time zones, too
        found = await self._store.listed(parent, after, limit, of)
        times = {it.budget_id: window_of(it, self._clock()) for it in found}
        standings = await self._store.standings(times, MOST_STANDINGS, of)
        uses = [BudgetUse(it, standings[it.budget_id]) for it in found]
        if of is None:
            return uses
        return [it if it.standings else _unused(it.budget, of, times) for it in uses]

    async def refresh(self) -> None:
        """Read all anew if some were changed."""
        async with self._reading:
            version = await self._store.version()
            if version == self._version:
                return
            found = await self._store.all()
            await asyncio.to_thread(_load_zones, {it.counts.time_zone for it in found})
            by_parent = defaultdict[Parent, list[Budget]](list)
            for budget in found:
                by_parent[budget.parent].append(budget)
            self._by_id = {it.budget_id: it for it in found}
            self._by_parent, self._version = dict(by_parent), version

    async def run(self) -> None:
        """Look regularly whether another server has changed some, until cancelled."""
        await every(LOOK_S, self.refresh, at_once=False)

    def with_id(self, budget_id: BudgetId) -> Budget | None:
        """The budget, unless it is gone or counts otherwise by now."""
        return self._by_id.get(budget_id)

    def holding(self, payer: Payer, target: str) -> Iterator[tuple[Budget, str]]:
        """The budgets that count a call to ``target``, each with the subject that pays.

        The installation's first, then the workspace's, by name.
        """
        if not self._by_parent:
            return
        for parent in (GLOBAL, Parent(payer.workspace_id)):
            for budget in self._by_parent.get(parent, ()):
                subject = budget.counts.subject_of(payer)
                if subject is not None and budget.counts.covers(target):
                    yield budget, subject


def _unused(budget: Budget, of: Subject, times: Mapping[BudgetId, tuple[int, int]]) -> BudgetUse:
    return BudgetUse(budget, [Standing(of.name, *times[budget.budget_id], Use(0, 0))])


def _load_zones(names: Iterable[str]) -> None:
    for name in names:
        zone_of(name)


def window_of(budget: Budget, at_us: int) -> tuple[int, int]:
    """When the window of that moment begins and ends; both 0 if it has no end."""
    return bounds(budget.counts.span, budget.counts.time_zone, at_us)
