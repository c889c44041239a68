"""What filters of one parent must keep together, beyond what the contract says of each field."""

from collections.abc import Sequence

from antiphon_server.filters.model import (
    MOST_FILTERS,
    Filter,
    Remote,
    Repetition,
    Stage,
)
from antiphon_server.runtime.errors import invalid

WHOLE = (Repetition, Remote)
"""What looks at a text as a whole, so that it can't mask one that comes in pieces."""


def checked(filters: Sequence[Filter]) -> None:
    """Raise DomainError INVALID_ARGUMENT where they don't.

    A name twice, too many, a stage that its kind can't look at.
    """
    if len(filters) > MOST_FILTERS:
        raise invalid("filters", f"are {len(filters)}, more than {MOST_FILTERS}")
    seen: dict[str, int] = {}
    for at, one in enumerate(filters):
        if one.name in seen:
            raise invalid(f"filters[{at}].name", f"is that of filters[{seen[one.name]}]")
        seen[one.name] = at
        if Stage.ANSWER in one.stages and isinstance(one.kind, WHOLE):
            raise invalid(f"filters[{at}].stages", "has FILTER_STAGE_ANSWER, for another kind")
