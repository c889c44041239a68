"""Whether the filters that the caller may manage can look."""

from collections.abc import AsyncIterator

from antiphon_client import AntiphonError, Client
from antiphon_server.cli.filters.asking import faults
from antiphon_server.runtime.revisions.model import GLOBAL

_MOST_WORKSPACES = 10
_NOT_MINE = {"PERMISSION_DENIED", "UNIMPLEMENTED", "SCOPE_MISSING"}


async def faults_of_filters(client: Client) -> AsyncIterator[tuple[str, str]]:
    """What is wrong with filters, and what to do: those of all, and of the first ten workspaces.

    Each remote one is asked about a word that means nothing.
    """
    workspaces = [it.workspace_id async for it in client.list_workspaces()]
    for parent in (GLOBAL, *workspaces[:_MOST_WORKSPACES]):
        try:
            found = await faults(client, parent)
        except AntiphonError as error:
            if error.reason in _NOT_MINE or error.code.name in _NOT_MINE:
                continue
            raise
        where = "" if parent == GLOBAL else f" --workspace {parent}"
        for said in found:
            name = said.partition(" ")[0]
            yield (
                said,
                (
                    "Look at its connection (`antiphon connections`), or take it away for now: "
                    f"`antiphon filters disable {name}{where}`."
                ),
            )
