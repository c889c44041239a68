"""What budgets leave to whoever is about to make calls."""

from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from math import inf
from typing import NamedTuple

from antiphon_server.integration.budgets.budgets import Budgets, now_us, window_of
from antiphon_server.integration.budgets.model import GLOBAL, Budget
from antiphon_server.integration.budgets.ports import BudgetStore
from antiphon_server.integration.ledger.model import Counted, Payer, Use, Window


class Left(NamedTuple):
    """The least that is left of a currency, of tokens or of calls, until ``end_us``, 0 for ever."""

    counted: Counted
    currency: str
    amount: int
    end_us: int


class BudgetsLeft:
    """Looks at the budgets of workspaces; the installation's are its operators' alone."""

    def __init__(
        self, budgets: Budgets, store: BudgetStore, clock: Callable[[], int] = now_us
    ) -> None:
        self._budgets, self._store, self._clock = budgets, store, clock

    async def of(self, payer: Payer, targets: Collection[str]) -> Sequence[Left]:
        """What is left to calls of any of ``targets``; empty if nothing is counted of them.

        One query, and none where no budget holds.
        """
        windows = dict(self._windows(payer, targets))
        if not windows:
            return ()
        uses = await self._store.uses(windows)
        left = (_left(it, end_us, uses.get(window)) for window, (it, end_us) in windows.items())
        by_unit = groupby(sorted(left, key=_weight), key=lambda it: it[:2])
        return [next(each) for _, each in by_unit]

    def _windows(
        self, payer: Payer, targets: Collection[str]
    ) -> "Sequence[tuple[Window, tuple[Budget, int]]]":
        now = self._clock()
        found = []
        for target in targets:
            for budget, subject in self._budgets.holding(payer, target):
                if budget.parent != GLOBAL:
                    start_us, end_us = window_of(budget, now)
                    found.append((Window(budget.budget_id, subject, start_us), (budget, end_us)))
        return found


def _left(budget: Budget, end_us: int, use: Use | None) -> Left:
    used = use.used if use is not None else 0
    counts = budget.counts
    return Left(counts.counted, counts.currency, max(0, budget.terms.limit - used), end_us)


def _weight(it: Left) -> tuple[int, str, int, float]:
    """The least of each unit first; of those, what is so for longest."""
    return it.counted, it.currency, it.amount, -(it.end_us or inf)
