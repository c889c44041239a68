"""What is left to a turn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from antiphon.integration.v1 import budget_pb2


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """The least that budgets leave of a ``unit``: a currency, "tokens" or "calls".

    ``until`` is when there is more; None if never.
    """

    unit: str
    amount: Decimal
    until: datetime | None = None


def budgets_left(found: Iterable[budget_pb2.BudgetLeft]) -> dict[str, BudgetLeft]:
    """By unit; without those that this version does not know."""
    left = (_left(it) for it in found)
    return {it.unit: it for it in left if it is not None}


def _left(it: budget_pb2.BudgetLeft) -> BudgetLeft | None:
    until = it.end_time.ToDatetime(UTC) if it.HasField("end_time") else None
    match it.left.WhichOneof("amount"):
        case "money":
            money = it.left.money
            return BudgetLeft(money.currency, Decimal(money.micros).scaleb(-6), until)
        case "tokens":
            return BudgetLeft("tokens", Decimal(it.left.tokens), until)
        case "calls":
            return BudgetLeft("calls", Decimal(it.left.calls), until)
        case _:
            return None
