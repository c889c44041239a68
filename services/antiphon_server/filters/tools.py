"""Filters that ask programs of others are set only if those are there: a typo would refuse all."""

from collections.abc import Sequence

from antiphon_server.filters.model import Filter, Remote
from antiphon_server.filters.ports import KnowsTools
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.revisions.model import GLOBAL

_WHERE = {
    True: "the installation has: a workspace's connections are for that workspace's filters alone",
    False: "the workspace has: ListTools lists those that it has",
}


async def check_tools(
    tools: KnowsTools, parent: str, filters: Sequence[Filter], standing: Sequence[Filter]
) -> None:
    """Raises DomainError INVALID_ARGUMENT, by whose filter it is, for a tool that is not there.

    Those that ``standing`` filters ask are let be: one that has gone keeps nobody from changing
    another filter.
    """
    asked = {it.kind.tool for it in standing if isinstance(it.kind, Remote) and not it.disabled}
    workspace_id = "" if parent == GLOBAL else parent
    for at, one in enumerate(filters):
        if not isinstance(one.kind, Remote) or one.disabled or one.kind.tool in asked:
            continue
        asked.add(tool := one.kind.tool)
        if not await tools.can_be_asked(tool, workspace_id):
            what = f"is {tool}, which is no tool for filters that {_WHERE[parent == GLOBAL]}"
            raise invalid(f"filters[{at}].remote.tool", what)
