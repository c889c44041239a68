"""BudgetService's messages <-> the domain's types."""

from collections.abc import Iterable

from antiphon.integration.v1 import budget_pb2 as pb
from antiphon.integration.v1 import budget_service_pb2
from antiphon_server.integration.budgets.left import Left
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    USUAL_WARN_PERCENT,
    Budget,
    BudgetName,
    BudgetUse,
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
from antiphon_server.integration.ledger.model import Counted, Money
from antiphon_server.integration.money_encoding import encoded as encoded_money
from antiphon_server.integration.money_encoding import money
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.rpc.times import timestamp

_COUNTED = {"money": Counted.MONEY, "tokens": Counted.TOKENS, "calls": Counted.CALLS}
_SUBJECTS = {
    Scope.WORKSPACE: "ws_",
    Scope.USER: "user_",
    Scope.CONVERSATION: "conv_",
    Scope.API_KEY: "key_",
}


def wanted(request: budget_service_pb2.PutBudgetRequest) -> tuple[BudgetName, Counts, Terms]:
    """What is to be put. Raises DomainError INVALID_ARGUMENT."""
    asked, parent = request.budget, Parent(request.parent)
    scope = Scope(asked.scope)
    if scope is Scope.INSTALLATION and parent != GLOBAL:
        raise invalid(
            "budget.scope", "one of a workspace's own: workspace, user, API key, conversation, turn"
        )
    field = asked.limit.WhichOneof("amount") or ""
    limit, currency = _asked(asked.limit, field)
    counts = Counts(
        scope,
        _subject(scope, asked.subject, parent),
        Span(asked.window),
        asked.time_zone,
        _COUNTED[field],
        currency,
        tuple(sorted(asked.targets)),
    )
    terms = Terms(
        limit,
        WhenExceeded(asked.when_exceeded or WhenExceeded.REFUSE),
        asked.warn_percent or USUAL_WARN_PERCENT,
    )
    return BudgetName(asked.name), counts, terms


def seen(request: budget_service_pb2.PutBudgetRequest) -> Seen:
    """What its caller has seen of the budget."""
    return Seen(request.budget.etag, request.must_be_new)


def subject(request: budget_service_pb2.ListBudgetsRequest) -> Subject | None:
    """Whose sums are asked for; None for everybody's."""
    if not request.subject:
        return None
    is_user = request.subject.startswith("user_")
    return Subject(Scope.USER if is_user else Scope.CONVERSATION, request.subject)


def encoded(budget: Budget) -> pb.Budget:
    """The budget."""
    counts, terms = budget.counts, budget.terms
    return pb.Budget(
        name=budget.name,
        scope=pb.BudgetScope.ValueType(counts.scope),
        subject=counts.subject,
        limit=_amount(counts.counted, counts.currency, terms.limit),
        window=pb.BudgetWindow.ValueType(counts.span),
        time_zone=counts.time_zone,
        targets=counts.targets,
        when_exceeded=pb.WhenExceeded.ValueType(terms.when_exceeded),
        warn_percent=terms.warn_percent,
        create_time=timestamp(budget.created_us),
        update_time=timestamp(budget.updated_us),
        count_start_time=timestamp(budget.counted_us),
        etag=budget.etag,
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


def left(it: Left) -> pb.BudgetLeft:
    """What is left of something that budgets count."""
    end_time = timestamp(it.end_us) if it.end_us else None
    return pb.BudgetLeft(left=_amount(it.counted, it.currency, it.amount), end_time=end_time)


def uses(found: Iterable[BudgetUse]) -> list[budget_service_pb2.BudgetUse]:
    """Budgets with how much of them is used."""
    return [
        budget_service_pb2.BudgetUse(
            budget=encoded(it.budget), states=[state(it.budget, each) for each in it.standings]
        )
        for it in found
    ]


def _amount(counted: Counted, currency: str, amount: int) -> pb.BudgetLimit:
    match counted:
        case Counted.MONEY:
            return pb.BudgetLimit(money=encoded_money(Money(currency, amount)))
        case Counted.TOKENS:
            return pb.BudgetLimit(tokens=amount)
        case Counted.CALLS:
            return pb.BudgetLimit(calls=amount)


def _asked(limit: pb.BudgetLimit, field: str) -> tuple[int, str]:
    """How much, and in which currency if it is money. Raises DomainError INVALID_ARGUMENT."""
    if field != "money":
        return getattr(limit, field), ""
    asked = money(limit.money, "budget.limit.money")
    return asked.micros, asked.currency


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
