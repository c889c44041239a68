"""Budgets as people read them, in a table and in sentences."""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from antiphon.integration.v1.budget_pb2 import (
    WHEN_EXCEEDED_NEXT_MODEL,
    Budget,
    BudgetScope,
    BudgetState,
    BudgetWindow,
)
from antiphon.integration.v1.budget_service_pb2 import BudgetUse
from antiphon.integration.v1.model_pb2 import Money
from antiphon_server.cli.money import counted_in_words, money_in_words

HEADINGS = ("budget", "of", "limit", "spent", "reserved", "left", "until", "rules")
_A = {"minute": "a", "hour": "an", "day": "a", "month": "a"}
_USUAL_WARN_PERCENT = 80
_MOST_TARGETS = 3


def put_first(own: BudgetState | None, it: BudgetUse) -> None:
    """Have one's own state among the others, which are those who use most."""
    if own is not None:
        others = [each for each in it.states if each.subject != own.subject]
        del it.states[:]
        it.states.extend([own, *others])


def rows_of(it: BudgetUse, parent: str, me: str) -> list[tuple[str, ...]]:
    """A row for each whose sum is told; one where nothing is used yet."""
    budget, rules = it.budget, " · ".join(_rules(it.budget))
    limit, nothing = _written(budget, amount_of(budget)), _written(budget, 0)
    if not it.states:
        unused = (nothing, nothing, limit, "", rules)
        return [(budget.name, whom(budget, parent), limited(budget), *unused)]
    return [
        (
            budget.name,
            "yours" if state.subject == me else _whose(state.subject, budget, parent),
            limited(budget),
            _written(budget, state.spent),
            _written(budget, state.reserved),
            _written(budget, state.left),
            _until(budget, state),
            rules,
        )
        for state in it.states
    ]


def limited(budget: Budget) -> str:
    """How much a window may have."""
    limit, per = _written(budget, amount_of(budget)), _word(budget, "window")
    return f"{limit} in all" if per == "once" else f"{limit} {_A[per]} {per}"


def whom(budget: Budget, parent: str) -> str:
    """Whose calls it counts together: of a workspace's own there is one workspace."""
    scope = _word(budget, "scope")
    one = scope == "installation" or (scope == "workspace" and parent.startswith("ws_"))
    return f"the {scope}" if one else budget.subject or f"each {scope}"


def amount_of(budget: Budget) -> int:
    """The limit: millionths of the currency, tokens or calls."""
    limit = budget.limit
    return limit.money.micros if limit.HasField("money") else limit.tokens + limit.calls


def _whose(subject: str, budget: Budget, parent: str) -> str:
    return whom(budget, parent) if subject in ("", parent) else subject


def _rules(budget: Budget) -> Iterator[str]:
    """What tells it from others: which calls it counts, and what it does where it is full."""
    if budget.targets:
        more = len(budget.targets) - _MOST_TARGETS
        shown = ", ".join(budget.targets[:_MOST_TARGETS])
        yield f"{shown} and {more} more" if more > 0 else shown
    if budget.warn_percent not in (0, _USUAL_WARN_PERCENT):
        yield f"warns at {budget.warn_percent} %"
    if budget.when_exceeded == WHEN_EXCEEDED_NEXT_MODEL:
        yield "then the next model"


def _until(budget: Budget, state: BudgetState) -> str:
    """When the window ends, where the budget's days begin."""
    if not state.HasField("end_time"):
        return ""
    zone, name = _zone(budget.time_zone)
    return f"{state.end_time.ToDatetime(UTC).astimezone(zone):%Y-%m-%d %H:%M} {name}"


def _zone(name: str) -> tuple[tzinfo, str]:
    try:
        return (ZoneInfo(name), name) if name else (UTC, "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the server may know others
        return UTC, "UTC"


def _word(budget: Budget, field: Literal["scope", "window"]) -> str:
    """The value of an enumeration, as people write it."""
    name = BudgetScope.Name(budget.scope) if field == "scope" else BudgetWindow.Name(budget.window)
    return name.rpartition("_")[2].lower()


def _written(budget: Budget, amount: int) -> str:
    if not budget.limit.HasField("money"):
        return counted_in_words(amount, budget.limit.WhichOneof("amount") or "")
    return money_in_words(Money(currency=budget.limit.money.currency, micros=amount))
