"""BudgetService's messages <-> the domain's types."""

from collections.abc import Iterable

from antiphon.integration.v1 import budget_pb2 as pb
from antiphon.integration.v1 import budget_service_pb2, model_pb2
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    USUAL_WARN_PERCENT,
    Budget,
    BudgetName,
    BudgetUse,
    Counts,
    Parent,
    Scope,
    Span,
    Standing,
    Terms,
    WhenExceeded,
)
from antiphon_server.integration.ledger.model import Counted
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.rpc.times import timestamp

_COUNTED = {"money": Counted.MONEY, "tokens": Counted.TOKENS, "calls": Counted.CALLS}
_LONGEST_MONEY = 10**15
"""A thousand millions of a currency's unit: sums of many such stay within 64 bits."""
_SUBJECTS = {Scope.WORKSPACE: "ws_", Scope.USER: "user_", Scope.CONVERSATION: "conv_"}


def wanted(request: budget_service_pb2.PutBudgetRequest) -> tuple[BudgetName, Counts, Terms]:
    """What is to be put. Raises DomainError INVALID_ARGUMENT."""
    asked, parent = request.budget, Parent(request.parent)
    scope = Scope(asked.scope)
    if scope is Scope.INSTALLATION and parent != GLOBAL:
        raise invalid(
            "budget.scope", "one of a workspace's own: workspace, user, conversation, turn"
        )
    field = asked.limit.WhichOneof("amount") or ""
    money = asked.limit.money
    limit = money.micros if field == "money" else getattr(asked.limit, field)
    if field == "money":
        _check_money(money)
    counts = Counts(
        scope,
        _subject(scope, asked.subject, parent),
        Span(asked.window),
        asked.time_zone,
        _COUNTED[field],
        money.currency if field == "money" else "",
        tuple(sorted(asked.targets)),
    )
    terms = Terms(
        limit,
        WhenExceeded(asked.when_exceeded or WhenExceeded.REFUSE),
        asked.warn_percent or USUAL_WARN_PERCENT,
    )
    return BudgetName(asked.name), counts, terms


def encoded(budget: Budget) -> pb.Budget:
    """The budget."""
    counts, terms = budget.counts, budget.terms
    return pb.Budget(
        name=budget.name,
        scope=pb.BudgetScope.ValueType(counts.scope),
        subject=counts.subject,
        limit=_limit(budget),
        window=pb.BudgetWindow.ValueType(counts.span),
        time_zone=counts.time_zone,
        targets=counts.targets,
        when_exceeded=pb.WhenExceeded.ValueType(terms.when_exceeded),
        warn_percent=terms.warn_percent,
        create_time=timestamp(budget.created_us),
        update_time=timestamp(budget.updated_us),
    )


def state(budget: Budget, standing: Standing) -> pb.BudgetState:
    """How much of a window is used."""
    use = standing.use
    return pb.BudgetState(
        subject=standing.subject,
        start_time=timestamp(standing.start_us) if standing.end_us else None,
        end_time=timestamp(standing.end_us) if standing.end_us else None,
        spent=use.spent,
        reserved=use.reserved,
        left=max(0, budget.terms.limit - use.used),
    )


def uses(found: Iterable[BudgetUse]) -> list[budget_service_pb2.BudgetUse]:
    """Budgets with how much of them is used."""
    return [
        budget_service_pb2.BudgetUse(
            budget=encoded(it.budget), states=[state(it.budget, each) for each in it.standings]
        )
        for it in found
    ]


def _limit(budget: Budget) -> pb.BudgetLimit:
    limit = budget.terms.limit
    match budget.counts.counted:
        case Counted.MONEY:
            money = model_pb2.Money(currency=budget.counts.currency, micros=limit)
            return pb.BudgetLimit(money=money)
        case Counted.TOKENS:
            return pb.BudgetLimit(tokens=limit)
        case Counted.CALLS:
            return pb.BudgetLimit(calls=limit)


def _check_money(money: model_pb2.Money) -> None:
    code = money.currency
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise invalid("budget.limit.money.currency", "a code of ISO 4217, such as USD")
    if not 0 <= money.micros <= _LONGEST_MONEY:
        raise invalid("budget.limit.money.micros", "from 0 to a thousand millions of the currency")


def _subject(scope: Scope, subject: str, parent: Parent) -> str:
    """Whose alone it counts; a workspace's own budget can name no other workspace."""
    begins = _SUBJECTS.get(scope)
    if subject and (begins is None or not subject.startswith(begins)):
        raise invalid(
            "budget.subject", f"empty, or an id of its scope ({begins or 'which has none'})"
        )
    if scope is Scope.WORKSPACE and parent != GLOBAL and subject not in ("", parent):
        raise invalid("budget.subject", "empty, or the parent itself")
    return subject
