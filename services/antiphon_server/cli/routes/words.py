"""Rules and decisions as people read them."""

from collections.abc import Iterable
from datetime import timedelta

from antiphon.dispatcher.v1.route_pb2 import RouteClassifier, RouteMatch, RouteRule
from antiphon.events.v1.route_pb2 import (
    ROUTE_OUTCOME_ASKED,
    ROUTE_OUTCOME_AWAY,
    ROUTE_OUTCOME_CHOSEN,
    ROUTE_OUTCOME_CLASSIFIED,
    ROUTE_OUTCOME_DEFAULT,
    ROUTE_OUTCOME_RULE,
    ROUTE_OUTCOME_UNSURE,
    RouteDecision,
    RouteOutcome,
)
from antiphon_server.cli.kinds import name_of
from antiphon_server.cli.rules.options import these

HEADINGS = ("priority", "rule", "matches", "goes to", "else")
_LOOKED_AT = {
    "types": "type",
    "media_types": "a part",
    "metadata": "metadata",
    "labels": "labels",
    "languages": "language",
    "senders": "from",
    "workspaces": "in",
    "text_patterns": "text",
    "sender_locales": "who prefers",
    "sender_fields": "whose profile has",
}
_BAR = 20
_UNSURE = "No expert is clearly the best"


def row_of(rule: RouteRule) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`HEADINGS` say."""
    goes = rule.handler or _chosen(rule.classifier)
    return str(rule.priority), rule.name, matches(rule.match), goes, rule.fallback or "next rule"


def matches(match: RouteMatch) -> str:
    """What a rule looks at: all of it must hold."""
    said = []
    for field, value in match.ListFields():
        words = _pairs(value.items()) if field.message_type else _one_of(value)
        said.append(f"{_LOOKED_AT.get(field.name, field.name)} {words}")
    return "; ".join(said) or "everything"


def why(decision: RouteDecision, *, past: bool = False) -> str:
    """Why somebody gets a message, or has got it, in a sentence without its end."""
    rule, away = decision.rule, ", ".join(decision.passed_over)
    nobody = "nobody served {} then" if past else "nobody serves {} now"
    match decision.outcome:
        case it if it == ROUTE_OUTCOME_RULE:
            return f"the rule {rule} says so"
        case it if it == ROUTE_OUTCOME_CLASSIFIED:
            return f"the rule {rule} chose it by what is said"
        case it if it == ROUTE_OUTCOME_UNSURE:
            unsure = f"no expert is clearly the best{_asked(decision)}"
            return f"{unsure}, so it is the fallback of the rule {rule}"
        case it if it == ROUTE_OUTCOME_ASKED:
            return f"the rule {rule} asks who shall have it, and this one has it if none is chosen"
        case it if it == ROUTE_OUTCOME_CHOSEN:
            return f"it was chosen by who was asked, as the rule {rule} says"
        case it if it == ROUTE_OUTCOME_AWAY:
            return f"{nobody.format(away)}, so it is the fallback of the rule {rule}"
        case it if it == ROUTE_OUTCOME_DEFAULT:
            return "no rule decides, so it is the default handler"
    return name_of(RouteOutcome, "ROUTE_OUTCOME_", decision.outcome)


def _asked(decision: RouteDecision) -> str:
    """What came of asking; nothing where nobody was asked."""
    if not decision.HasField("question"):
        return ""
    return (
        " and none was chosen" if decision.question.answered_by else " and nobody answered in time"
    )


def scores(decision: RouteDecision) -> str:
    """The experts among whom a rule chose, in a line."""
    return ", ".join(f"{it.handler} {it.score:.2f}" for it in decision.candidates)


def told(decision: RouteDecision, *, past: bool = False) -> list[str]:
    """Lines that say who would get a message, or has got it, and why."""
    lines = _first(decision, past=past)
    wide = max((len(it.handler) for it in decision.candidates), default=0)
    for it in decision.candidates:
        bar = "█" * round(it.score * _BAR)
        lines.append(f"  {it.handler:{wide}}  {it.score:.2f}  {bar}".rstrip())
    if decision.candidates:
        lines.append(f"The best one is {decision.margin:.2f} above the next.")
    if decision.passed_over:
        away = "served them then" if past else "serves them now"
        lines.append(f"Passed over, as nobody {away}: {', '.join(decision.passed_over)}.")
    if decision.parent:
        lines.append(f"By the routes {these(decision.parent)}, revision {decision.revision}.")
    elif not past:
        lines.append("No routes stand there: `antiphon routes set FILE` sets some.")
    return lines


def _first(decision: RouteDecision, *, past: bool) -> list[str]:
    if decision.outcome != ROUTE_OUTCOME_ASKED or past:
        return [f"{decision.handler} {'got' if past else 'gets'} it: {why(decision, past=past)}."]
    question = decision.question
    within = lasting(question.wait.ToTimedelta())
    return [
        f"{_UNSURE}, so the rule {decision.rule} asks: {' or '.join(question.handlers)}?",
        f"{decision.handler} gets it if none of them is chosen within {within}.",
    ]


def _chosen(it: RouteClassifier) -> str:
    among = f"best of {', '.join(it.handlers)}" if it.handlers else "best expert"
    least = f"from {it.min_score:g}" if it.min_score else ""
    ahead = f"by {it.min_margin:g}" if it.min_margin else ""
    limits = ", ".join(filter(None, (least, ahead)))
    chosen = f"{among} ({limits})" if limits else among
    return f"{chosen}, else asks" if it.HasField("ask") else chosen


def lasting(span: timedelta) -> str:
    """In the largest unit that says it: `15 min`."""
    seconds = int(span.total_seconds())
    for unit, of_it in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds and seconds % of_it == 0:
            return f"{seconds // of_it} {unit}"
    return f"{span.total_seconds():g} s"


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(pairs))


def _one_of(values: Iterable[str]) -> str:
    return " or ".join(it or "(none)" for it in values)
