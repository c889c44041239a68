"""What filters of one parent must keep together, beyond what the contract says of each field."""

from collections.abc import Sequence

from antiphon_server.filters.model import MOST_FILTERS, Filter
from antiphon_server.runtime.errors import invalid


def checked(filters: Sequence[Filter]) -> None:
    """Raise DomainError INVALID_ARGUMENT where they don't: a name twice, too many."""
    if len(filters) > MOST_FILTERS:
        raise invalid("filters", f"are {len(filters)}, more than {MOST_FILTERS}")
    seen: dict[str, int] = {}
    for at, one in enumerate(filters):
        if one.name in seen:
            raise invalid(f"filters[{at}].name", f"is that of filters[{seen[one.name]}]")
        seen[one.name] = at
