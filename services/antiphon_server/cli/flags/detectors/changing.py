"""One change of all detectors of a parent, which is refused if somebody else has made another."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from antiphon.context.v1.anomaly_pb2 import Detector
from antiphon_client import Client
from antiphon_server.cli.connect import client_for
from antiphon_server.cli.console import CommandError, aside, in_a_line, print_json, say
from antiphon_server.cli.encoding import as_dict
from antiphon_server.cli.flags.detectors.rules import DETECTORS
from antiphon_server.cli.options import DataDir
from antiphon_server.cli.routes.options import these
from antiphon_server.cli.rules.changes import changes
from antiphon_server.cli.rules.refusals import setting
from antiphon_server.cli.workers.options import asking_for, parent_of

Edit: TypeAlias = Callable[[list[Detector]], Sequence[Detector]]
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
        before = await client.get_detectors(parent)
    after = edit(list(before.detectors))
    with asking_for(workspace), setting(DETECTORS, source, after):
        expected = before.revision if seen is None else seen
        made = await client.set_detectors(
            parent, after, comment=comment, expected_revision=expected
        )
    if json:
        print_json(as_dict(made))
        return
    if made.revision == before.revision:
        aside(f"Nothing changes: these are the detectors of revision {made.revision}.")
        return
    for line in changes(before.detectors, made.detectors):
        say(in_a_line(line))
    aside(f"The detectors {these(parent)} are revision {made.revision} from now on.")


def one_of(detectors: Sequence[Detector], name: str) -> Detector:
    """The one of this name. Raises CommandError."""
    for it in detectors:
        if it.name == name:
            return it
    there = ", ".join(it.name for it in detectors) or "none"
    raise CommandError(
        f"there is no detector {name} there, only {there}; `--workspace ws_…` names a workspace's"
    )
