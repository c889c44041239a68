"""What filters of one parent must keep together, beyond what the contract says of each field."""

import re
from collections.abc import Sequence

from antiphon_server.filters.finding.text import Text
from antiphon_server.filters.kinds import PERSONAL, masking_finders
from antiphon_server.filters.model import (
    MOST_FILTERS,
    Action,
    Filter,
    PersonalData,
    Remote,
    Stage,
    Terms,
)
from antiphon_server.runtime.errors import DomainError, invalid

_TOOL = re.compile(r"[a-z0-9_-]{1,32}\.[A-Za-z0-9_./-]{1,95}")


def broken(filters: Sequence[Filter]) -> DomainError | None:
    """INVALID_ARGUMENT where they don't.

    A name twice, too many, a stage that a filter's kind can't look at, a kind without anything to
    look for.
    """
    try:
        _check_all(filters)
    except DomainError as error:
        return error
    return None


def _check_all(filters: Sequence[Filter]) -> None:
    if len(filters) > MOST_FILTERS:
        raise invalid("filters", f"are {len(filters)}, more than {MOST_FILTERS}")
    seen: dict[str, int] = {}
    for at, one in enumerate(filters):
        if one.name in seen:
            raise invalid(f"filters[{at}].name", f"is that of filters[{seen[one.name]}]")
        seen[one.name] = at
        _check(f"filters[{at}]", one)


def _check(field: str, one: Filter) -> None:
    match one.kind:
        case Terms((), ()):
            raise invalid(f"{field}.terms", "has neither terms nor parts")
        case Terms(terms, parts):
            _check_terms(f"{field}.terms.terms", terms)
            _check_terms(f"{field}.terms.parts", parts)
        case Remote(tool) if not _TOOL.fullmatch(tool):
            raise invalid(f"{field}.remote.tool", "is no name of a tool, as source.tool")
        case PersonalData(categories, _) if unknown := set(categories) - PERSONAL:
            known = ", ".join(sorted(PERSONAL))
            what = f"has {sorted(unknown)[0]}, which is none of {known}"
            raise invalid(f"{field}.personal_data.categories", what)
    if Stage.ANSWER in one.stages and one.action is Action.HOLD:
        what = "has FILTER_STAGE_ANSWER: what is on its way can't wait for a person"
        raise invalid(f"{field}.stages", what)
    if Stage.ANSWER in one.stages and not masking_finders(one.kind):
        what = "has FILTER_STAGE_ANSWER: its kind can't mask what comes in pieces"
        raise invalid(f"{field}.stages", what)


def _check_terms(field: str, terms: Sequence[str]) -> None:
    for at, term in enumerate(terms):
        if "\0" in term:
            raise invalid(f"{field}[{at}]", "has a NUL")
        if not Text(term).folded.value.strip():
            raise invalid(f"{field}[{at}]", "has nothing that can be seen")
