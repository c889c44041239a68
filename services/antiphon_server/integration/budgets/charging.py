"""What calls may take by the budgets that hold for them; what is said where that is too much."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from typing import NamedTuple

from antiphon_server.integration.budgets.budgets import Budgets, now_us, window_of
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    Budget,
    Span,
    Standing,
    WhenExceeded,
)
from antiphon_server.integration.budgets.ports import Told
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    BudgetExceeded,
    Call,
    CallId,
    CallKind,
    Charge,
    Counted,
    Full,
    Most,
    Overrun,
    Payer,
    Reached,
    Window,
    WindowFull,
)
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.errors import DomainError, Reason

SOON_S = 5.0
"""When to try again where calls that run now may leave enough."""


class Target(NamedTuple):
    """What is called."""

    kind: CallKind
    name: str


class Charging:
    """See :class:`~antiphon_server.integration.ledger.ports.Limits`."""

    def __init__(self, budgets: Budgets, told: Told, clock: Callable[[], int] = now_us) -> None:
        self._budgets, self._told, self._clock = budgets, told, clock
        self._telling = Completion()
        self._present: dict[tuple[Span, str], tuple[int, int]] = {}

    async def charges(
        self, payer: Payer, kind: CallKind, target: str, most: Callable[[], Awaitable[Most]]
    ) -> Sequence[Charge]:
        """See :meth:`Limits.charges`."""
        holding = list(self._budgets.holding(payer, target))
        if not holding:
            return ()
        taken, now = await most(), self._clock()
        what = Target(kind, target)
        charges = [self._charge(budget, subject, what, taken, now) for budget, subject in holding]
        # What is free always fits. What is not may cost something, though it isn't asked for that.
        return [it for it in charges if it.amount or not taken.free]

    def refusal(self, full: WindowFull) -> BudgetExceeded:
        """See :meth:`Limits.refusal`."""
        known = ((self._budgets.with_id(it.charge.window.budget_id), it) for it in full.full)
        obstacles = [self._obstacle(budget, it) for budget, it in known if budget is not None]
        if not obstacles:  # they were removed or changed meanwhile: nobody knows whose they were
            gone = full.full[0].charge.window.budget_id
            return BudgetExceeded(next_model=False, retry_after=0.0, budget=gone)
        most = min(obstacles, key=_by_weight)
        budget = most.budget
        told = {} if budget.parent == GLOBAL else _amounts(budget, most.full)
        if subject := most.full.charge.window.subject:
            told["subject"] = subject
        if most.end_us:
            told["resets_at"] = _written(most.end_us)
        return BudgetExceeded(
            next_model=not any(it.refuses for it in obstacles),
            retry_after=most.fits_in_s,
            budget=budget.name,
            parent=budget.parent,
            scope=budget.counts.scope.name,
            **told,
        )

    def reached(self, call: Call, reached: Sequence[Reached]) -> None:
        """See :meth:`Limits.reached`."""
        for it in reached:
            budget = self._budgets.with_id(it.charge.window.budget_id)
            if budget is not None:
                start_us, end_us = window_of(budget, it.charge.window.start_us)
                standing = Standing(it.charge.window.subject, start_us, end_us, it.use)
                self._telling.begin(self._told.warned(budget, call.payer, standing))

    def overrun(self, call_id: CallId, overruns: Sequence[Overrun]) -> None:
        """See :meth:`Limits.overrun`."""
        for it in overruns:
            budget = self._budgets.with_id(it.window.budget_id)
            if budget is not None and (it.use is None or it.use.used > budget.terms.limit):
                self._telling.begin(self._told.overran(budget, call_id, it))

    async def close(self) -> None:
        """Wait for what is being told."""
        await self._telling.close()

    def _charge(self, budget: Budget, subject: str, target: Target, most: Most, now: int) -> Charge:
        terms = budget.terms
        window = Window(budget.budget_id, subject, self._start_of(budget, now))
        amount = _amount(budget, target, most)
        return Charge(window, budget.counts.counted, amount, terms.limit, terms.warn_at)

    def _start_of(self, budget: Budget, now: int) -> int:
        """When the present window began: worked out once for all that begin then."""
        kind = budget.counts.span, budget.counts.time_zone
        start_us, end_us = self._present.get(kind, (1, 0))
        if not start_us <= now < end_us:
            start_us, end_us = self._present[kind] = window_of(budget, now)
        return start_us

    def _obstacle(self, budget: Budget, full: Full) -> "_Obstacle":
        end_us = window_of(budget, full.charge.window.start_us)[1]
        return _Obstacle(budget, full, end_us, self._fits_in_s(full, end_us))

    def _fits_in_s(self, full: Full, end_us: int) -> float | None:
        """When the call may fit, in seconds from now; None if waiting does not help."""
        charge, use = full
        if charge.amount > charge.limit:
            return None
        until_end = max(0.0, (end_us - self._clock()) / 1e6) if end_us else None
        if use.spent + charge.amount > charge.limit:
            return until_end
        return SOON_S if until_end is None else min(SOON_S, until_end)


class _Obstacle(NamedTuple):
    """A budget that a call does not fit into, and when it may; None if waiting does not help."""

    budget: Budget
    full: Full
    end_us: int
    fits_in_s: float | None

    @property
    def refuses(self) -> bool:
        """Whether the call is not to be made by another model either."""
        return self.budget.terms.when_exceeded is WhenExceeded.REFUSE


def _by_weight(it: _Obstacle) -> tuple[float, bool]:
    """The one first that takes longest; of those, one that refuses. Others stay in their order."""
    return -inf if it.fits_in_s is None else -it.fits_in_s, not it.refuses


def _amounts(budget: Budget, full: Full) -> dict[str, str]:
    """What the members of a workspace may know of its budget, and of the installation's nobody."""
    charge, use = full
    amounts = {"limit": charge.limit, "spent": use.spent, "reserved": use.reserved}
    amounts["needed"] = charge.amount
    told = {name: _number(charge.counted, it) for name, it in amounts.items()}
    return {"unit": _unit(budget), **told}


def _amount(budget: Budget, target: Target, most: Most) -> int:
    """Raises DomainError PRICE_UNKNOWN."""
    match budget.counts.counted:
        case Counted.CALLS:
            return 1
        case Counted.TOKENS:
            return most.tokens
        case Counted.MONEY:
            return _money(budget, target, most)


def _money(budget: Budget, target: Target, most: Most) -> int:
    cost, currency = most.cost, budget.counts.currency
    if cost is not None and (cost.currency == currency or most.free):
        return cost.micros
    refused = DomainError(
        Reason.PRICE_UNKNOWN,
        target=target.name,
        kind="model" if target.kind == MODEL_CALL else "tool",
        budget=budget.name,
        parent=budget.parent,
        currency=currency,
    )
    if cost is not None:
        refused.metadata["price_currency"] = cost.currency
    raise refused


def _unit(budget: Budget) -> str:
    return budget.counts.currency or budget.counts.counted.name.lower()


def _number(counted: Counted, amount: int) -> str:
    """As a decimal number of the unit."""
    if counted is not Counted.MONEY:
        return str(amount)
    return f"{Decimal(amount).scaleb(-6).normalize():f}"


def _written(at_us: int) -> str:
    at = datetime.fromtimestamp(at_us / 1e6, UTC)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
