"""Windows that are over, and bookings of settled calls, are forgotten a piece at a time."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from antiphon_server.integration.budgets.budgets import now_us, window_of
from antiphon_server.integration.budgets.model import Budget, Over, Scope, Span
from antiphon_server.integration.budgets.ports import BudgetStore, WindowStore
from antiphon_server.integration.ledger.model import BudgetId
from antiphon_server.runtime.concurrency.tasks import every

EVERY_S = 300.0
PAUSE_S = 0.05
PIECE = 500
AT_ONCE = 64
"""Budgets whose windows are looked for together."""
KEPT_US = 3_600_000_000
"""How long windows are kept after their end: as much as servers' clocks may differ."""
LATE_US = 7 * 24 * 3_600_000_000
"""How long a turn's window is kept, and how late a call may be settled that was given up."""
_ALL_US = 2**62


class Pruning:
    """Runs in the background; of a budget that is gone nothing is kept."""

    def __init__(
        self,
        budgets: BudgetStore,
        windows: WindowStore,
        clock: Callable[[], int] = now_us,
        piece: int = PIECE,
    ) -> None:
        self._budgets, self._windows = budgets, windows
        self._clock, self._piece = clock, piece

    async def run(self) -> None:
        """Do it every few minutes, not all servers at once, until cancelled."""
        await every(EVERY_S * random.uniform(0.8, 1.2), self.once, at_once=False)

    async def once(self) -> None:
        """Forget all that nobody needs now."""
        now, store = self._clock(), self._windows
        await self._in_pieces(partial(store.forget_bookings, now - LATE_US))
        counting = await store.counting()
        # Read after: a budget is there before its windows, so one that is not has been removed.
        budgets = {it.budget_id: it for it in await self._budgets.all()} if counting else {}
        over = await asyncio.to_thread(_over, counting, budgets, now)  # reads time zones
        for at in range(0, len(over), AT_ONCE):
            await self._in_pieces(partial(store.forget_windows, over[at : at + AT_ONCE]))

    async def _in_pieces(self, forget: Callable[[int], Awaitable[int]]) -> None:
        more = True
        while more:
            more = await forget(self._piece) >= self._piece
            await asyncio.sleep(PAUSE_S)


def _over(counting: Sequence[BudgetId], budgets: dict[BudgetId, Budget], now: int) -> list[Over]:
    return [it for which in counting if (it := _over_of(which, budgets.get(which), now))]


def _over_of(budget_id: BudgetId, budget: Budget | None, now: int) -> Over | None:
    """Those that nobody needs; None if they are needed as long as there is the budget."""
    if budget is None:
        return Over(budget_id, _ALL_US, _ALL_US)
    if budget.counts.span is not Span.ONCE:
        return Over(budget_id, window_of(budget, now - KEPT_US)[0], _ALL_US)
    if budget.counts.scope is Scope.TURN:
        return Over(budget_id, _ALL_US, now - LATE_US)
    return None
