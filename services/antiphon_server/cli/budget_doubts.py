"""What is wrong with a budget that somebody wants, and what may not be meant so."""

import re
from collections.abc import Iterator, Sequence

from antiphon.integration.v1.budget_pb2 import (
    BUDGET_SCOPE_API_KEY,
    BUDGET_SCOPE_CONVERSATION,
    BUDGET_SCOPE_TURN,
    BUDGET_SCOPE_USER,
    BUDGET_SCOPE_WORKSPACE,
    Budget,
)
from antiphon.integration.v1.model_pb2 import Model
from antiphon_server.cli.budget_rows import amount_of

_SUBJECTS = {
    BUDGET_SCOPE_API_KEY: ("key", "`antiphon keys list` shows yours"),
    BUDGET_SCOPE_USER: ("user", "`antiphon whoami` tells yours"),
    BUDGET_SCOPE_CONVERSATION: ("conv", "`antiphon conversations` lists yours"),
    BUDGET_SCOPE_WORKSPACE: ("ws", "`antiphon budgets --help` says whose calls count"),
}
"""How the IDs of a scope begin, and who tells them."""
_OF_WHAT = {"money": " that costs something", "tokens": " of a model", "calls": "", None: ""}
_OPTIONS = {"key": "key", "user": "user", "conv": "conversation", "ws": "workspace"}
_ID = re.compile("([a-z]+)_[0-9A-Za-z_-]{8,64}")


def wrong_subject(budget: Budget) -> str:
    """Why it can't be of that one alone; empty where it can."""
    subject, scope = budget.subject, budget.scope
    if not subject:
        return ""
    if scope == BUDGET_SCOPE_TURN or subject.startswith("turn_"):
        return "no turn is limited by itself; --scope turn without --for limits each"
    kind = found[1] if (found := _ID.fullmatch(subject)) else ""
    begins, who_knows = _SUBJECTS.get(scope, ("", ""))
    if kind == begins:
        return ""
    if kind in _OPTIONS:
        return f"{subject} is the ID of a {_OPTIONS[kind]}: add --scope {_OPTIONS[kind]}"
    if not begins:
        return "the installation is one: leave it away, or add another --scope"
    return f'"{subject}" is no ID of its scope: write {begins}_… as a whole; {who_knows}'


def doubts(budget: Budget, models: Sequence[Model]) -> Iterator[str]:
    """What may not be meant so, though it is kept as it was said."""
    if not amount_of(budget):
        yield f"a limit of 0 has every call{_OF_WHAT[budget.limit.WhichOneof('amount')]} refused"
    for target in budget.targets:
        if not _is_known(target, models):
            yield f"{target} is the name of no model here, nor how a tool is called"
    if budget.limit.HasField("money"):
        yield from _other_currencies(budget, models)


def _other_currencies(budget: Budget, models: Sequence[Model]) -> Iterator[str]:
    """That none of those which it counts is priced in its currency."""
    wanted = budget.limit.money.currency
    counted = [it for it in models if _covers(budget.targets, it.name)]
    known = {each.input.currency for it in counted for each in it.prices if _costs(it)}
    if known and wanted not in known:
        others = " and ".join(sorted(known))
        yield f"no model here has prices in {wanted}: calls of those in {others} will be refused"


def _costs(model: Model) -> bool:
    prices = (price for it in model.prices for _, price in it.ListFields())
    return any(getattr(it, "micros", 0) for it in prices)


def _is_known(target: str, models: Sequence[Model]) -> bool:
    """Models are named as ``openai/x``, tools as ``wiki.search``, which may be connected later."""
    if "/" not in target and ("." in target or target.endswith("*")):
        return True
    return any(_covers([target], it.name) for it in models)


def _covers(targets: Sequence[str], name: str) -> bool:
    return not targets or any(
        name.startswith(it[:-1]) if it.endswith("*") else name == it for it in targets
    )
