"""What rules of one parent must keep together, beyond what the contract says of each field."""

from collections.abc import Sequence

from antiphon_server.routing.model import MOST_RULES, Rule
from antiphon_server.runtime.errors import DomainError, invalid


def broken(rules: Sequence[Rule]) -> DomainError | None:
    """INVALID_ARGUMENT, with the rule, where they don't.

    A name twice, too many rules, neither a handler nor a classifier or both.
    """
    try:
        _check_all(rules)
    except DomainError as error:
        return error
    return None


def _check_all(rules: Sequence[Rule]) -> None:
    if len(rules) > MOST_RULES:
        raise invalid("rules", f"are {len(rules)}, more than {MOST_RULES}")
    seen: dict[str, int] = {}
    for at, rule in enumerate(rules):
        if rule.name in seen:
            raise invalid(f"rules[{at}].name", f"is that of rules[{seen[rule.name]}]")
        seen[rule.name] = at
        if bool(rule.handler) == (rule.classifier is not None):
            raise invalid(f"rules[{at}]", "has to have either a handler or a classifier")
