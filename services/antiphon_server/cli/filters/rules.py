"""Filters as commands speak of them."""

from antiphon.context.v1.filter_pb2 import Filter
from antiphon_client import Client
from antiphon_server.cli.filters.about import FILTERS as ABOUT
from antiphon_server.cli.filters.asking import blind
from antiphon_server.cli.filters.words import HEADINGS, row_of
from antiphon_server.cli.rules.kind import Kind

_WRITTEN = {
    "name": "is no filter's name: write small letters, digits and -, a letter first (at most 64)",
    "categories": "is no category: write one like card",
}
FILTERS = Kind(
    ABOUT,
    Filter,
    _WRITTEN,
    Client.get_filters,
    Client.set_filters,
    Client.list_filter_revisions,
    HEADINGS,
    row_of,
    warned=blind,
)
