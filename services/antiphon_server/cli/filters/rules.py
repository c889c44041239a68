"""Filters as commands speak of them."""

from antiphon.context.v1.filter_pb2 import Filter, Filters
from antiphon_server.cli.routes.options import these
from antiphon_server.cli.rules.file import written
from antiphon_server.cli.rules.kind import Kind

_WRITTEN = {
    "name": "is no filter's name: write small letters, digits and -, a letter first (at most 64)",
    "categories": "is no category: write one like card",
}
FILTERS = Kind(Filter, "filter", "filters", "filters", _WRITTEN)


def as_file(filters: Filters) -> str:
    """Them as a file that `set` takes."""
    said = f"# Filters {these(filters.parent)}, revision {filters.revision}."
    return written(FILTERS, said, filters.filters)
