"""Filters, verdicts and screenings as people read them."""

from collections.abc import Iterable

from antiphon.context.v1.filter_pb2 import (
    FILTER_FAILURE_OPEN,
    FILTER_STAGE_ANSWER,
    Filter,
    FilterAction,
    FilterStage,
    FilterVerdict,
    Screening,
)
from antiphon_server.cli.kinds import name_of
from antiphon_server.cli.rules.options import these

HEADINGS = ("filter", "state", "looks for", "in", "and then", "if it fails", "time")
VERDICTS = ("filter", "of", "says", "found", "what")
SCREENINGS = ("when", "what", "by", "became", "filters", "conversation")
_STAGES = {"message": "messages", "tool_result": "tool results", "answer": "answers"}
_DEFAULT = ("message", "tool_result")
_BECAME = {
    "unspecified": "passed",
    "flag": "flagged",
    "sanitise": "sanitised",
    "hold": "held",
    "block": "blocked",
}
_TIMEOUT_S = 2.0


def row_of(it: Filter) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`HEADINGS` say."""
    state = "off" if it.disabled else "on"
    fails = "passes" if it.on_failure == FILTER_FAILURE_OPEN else "refused"
    timeout_s = it.timeout.ToMilliseconds() / 1000 or _TIMEOUT_S
    return it.name, state, looks_for(it), _where(it), _then(it), fails, f"{timeout_s:g} s"


def _then(it: Filter) -> str:
    """What becomes of what it finds; answers are masked, whatever its action is."""
    if FILTER_STAGE_ANSWER not in it.stages:
        return action(it.action)
    others = len(it.stages) > 1
    return f"{action(it.action)}; answers masked" if others else "masked"


def looks_for(it: Filter) -> str:
    """Its kind, with what that is told."""
    kind = it.WhichOneof("kind")
    if kind is None:
        return "(of a newer server)"
    name = kind.replace("_", " ")
    if kind == "terms":
        return _counted(len(it.terms.terms), len(it.terms.parts))
    if kind == "remote":
        return f"what {it.remote.tool} says"
    if kind == "personal_data":
        looked = ", ".join(it.personal_data.categories)
        dialled = f" (phones of {', '.join(it.personal_data.regions)})"
        return f"{name}{f': {looked}' * bool(looked)}{dialled * bool(it.personal_data.regions)}"
    return name


def _counted(terms: int, parts: int) -> str:
    told = [(terms, "term"), (parts, "part of words")]
    plural = {"term": "terms", "part of words": "parts of words"}
    return _listed(f"{many} {plural[it] if many > 1 else it}" for many, it in told if many)


def action(number: int) -> str:
    """What a filter does."""
    return name_of(FilterAction, "FILTER_ACTION_", number)


def became(number: int, refused: bool) -> str:
    """What became of something."""
    done = _BECAME.get(action(number), action(number))
    return "refused" if refused and done != "blocked" else done


def verdict_row(it: FilterVerdict) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`VERDICTS` say."""
    if it.failure:
        return it.filter, these(it.parent), "nothing", "", f"it failed: {it.failure}"
    return it.filter, these(it.parent), action(it.action), str(it.found), ", ".join(it.categories)


def screening_row(it: Screening, when: str, who: str) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`SCREENINGS` say."""
    what = name_of(FilterStage, "FILTER_STAGE_", it.stage).replace("_", " ")
    said = "; ".join(map(_verdict, it.verdicts))
    return when, what, who, became(it.action, it.refused), said, it.conversation_id


def _verdict(it: FilterVerdict) -> str:
    return f"{it.filter}: {f'failed ({it.failure})' if it.failure else ', '.join(it.categories)}"


def _where(it: Filter) -> str:
    names = [name_of(FilterStage, "FILTER_STAGE_", each) for each in it.stages] or _DEFAULT
    return _listed(_STAGES.get(each, each) for each in names)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
