"""One change of all filters of a parent, which is refused if somebody else has made another."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from antiphon.context.v1.filter_pb2 import Filter
from antiphon_client import Client
from antiphon_server.cli.connect import client_for
from antiphon_server.cli.console import CommandError, aside, in_a_line, print_json, say
from antiphon_server.cli.encoding import as_dict
from antiphon_server.cli.filters.rules import FILTERS
from antiphon_server.cli.options import DataDir
from antiphon_server.cli.routes.options import these
from antiphon_server.cli.rules.changes import changes
from antiphon_server.cli.rules.refusals import setting
from antiphon_server.cli.workers.options import asking_for, parent_of

Edit: TypeAlias = Callable[[list[Filter]], Sequence[Filter]]
"""Makes those that are to be of those that are."""


async def change(
    edit: Edit, workspace: str, comment: str, json: bool, address: str, data_dir: DataDir
) -> None:
    """Make a change of what stands, and print it."""
    async with client_for(address, data_dir) as client:
        await replace(client, edit, workspace, "what was asked for", comment, None, json)


async def replace(
    client: Client,
    edit: Edit,
    workspace: str,
    source: str,
    comment: str,
    seen: int | None,
    json: bool,
) -> None:
    """Replace what stands by what an edit makes of it; ``source`` is where that comes from."""
    parent = parent_of(workspace)
    with asking_for(workspace):
        before = await client.get_filters(parent)
    after = edit(list(before.filters))
    with asking_for(workspace), setting(FILTERS, source, after):
        expected = before.revision if seen is None else seen
        made = await client.set_filters(parent, after, comment=comment, expected_revision=expected)
    if json:
        print_json(as_dict(made))
        return
    if made.revision == before.revision:
        aside(f"Nothing changes: these are the filters of revision {made.revision}.")
        return
    for line in changes(before.filters, made.filters):
        say(in_a_line(line))
    aside(f"The filters {these(parent)} are revision {made.revision} from now on.")


def one_of(filters: Sequence[Filter], name: str) -> Filter:
    """The one of this name. Raises CommandError."""
    for it in filters:
        if it.name == name:
            return it
    there = ", ".join(it.name for it in filters) or "none"
    raise CommandError(
        f"there is no filter {name} there, only {there}; `--workspace ws_…` names a workspace's"
    )
