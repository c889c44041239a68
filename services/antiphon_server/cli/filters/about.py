"""Filters, as the commands that all rules have speak of them."""

from typing import TYPE_CHECKING

from antiphon_server.cli.rules.about import About

if TYPE_CHECKING:
    from antiphon.context.v1.filter_pb2 import Filter
    from antiphon_server.cli.rules.kind import Kind


def _load() -> "Kind[Filter]":
    from antiphon_server.cli.filters.rules import FILTERS

    return FILTERS


FILTERS = About(
    command="filters",
    one="filter",
    many="filters",
    load=_load,
    none="add NAME --kind secrets` adds one",
    shown="Show the filters in the order in which they look: at what, for what, and what they do."
    "\n\nWhat is said in a workspace is looked at by those of all workspaces first.",
    holds="What is said later goes by the new ones, on all servers within a second.",
    why="no card numbers",
    why_not="4 blocked too much",
)
