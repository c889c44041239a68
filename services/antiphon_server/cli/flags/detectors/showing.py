"""``antiphon flags detectors show`` and ``history``."""

from typing import Annotated

import typer

from antiphon_server.cli.accounts import Names
from antiphon_server.cli.console import aside, fail, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.routes.options import Where, these
from antiphon_server.cli.workers.options import asking_for, parent_of

_HISTORY = ("revision", "when", "by", "comment")
_NONE = "None were set {}. `antiphon flags detectors add NAME --kind rate` adds one."


def show(
    revision: Annotated[
        int, typer.Option("--revision", min=0, metavar="N", help="As they were; 0: as they are.")
    ] = 0,
    toml: Annotated[bool, typer.Option("--toml", help="As a file that `set` takes.")] = False,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show the detectors: whom they watch, for what, from when on, and what a flag of theirs does.

    What is said in a workspace is seen by its own, and by those of all workspaces.

    For example:

    - `antiphon flags detectors show`
    - `antiphon flags detectors show --toml > detectors.toml`
    - `antiphon flags detectors show --workspace ws_… --revision 3`
    """
    if toml and json:
        fail("--toml and --json name two forms; leave one out", 2)
    run(_show(revision, toml, workspace, json, address, data_dir))


def history(
    workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List what the detectors were: when they were set, by whom, and why; the newest first.

    The newest 100 are kept: `show --revision N` shows one, `restore N` sets it again.

    For example:

    - `antiphon flags detectors history`
    - `antiphon flags detectors history --workspace ws_… --json`
    """
    run(_history(workspace, json, address, data_dir))


async def _show(
    revision: int, toml: bool, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.flags.detectors.rules import as_file
    from antiphon_server.cli.flags.detectors.words import HEADINGS, row_of
    from antiphon_server.cli.table import print_table

    parent = parent_of(workspace)
    async with client_for(address, data_dir) as client:
        with asking_for(workspace):
            found = await client.get_detectors(parent, revision)
    if json:
        print_json(as_dict(found))
    elif toml:
        say(as_file(found).removesuffix("\n"))
    elif found.detectors:
        print_table(HEADINGS, map(row_of, found.detectors), whole=True)
        aside(f"Detectors {these(parent)}, revision {found.revision}.")
    elif found.revision:
        say(f"There are no detectors {these(parent)} since revision {found.revision}.", err=True)
    else:
        say(_NONE.format(these(parent)), err=True)


async def _history(workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    rows, parent = [], parent_of(workspace)
    async with client_for(address, data_dir) as client:
        names = Names(client)
        with asking_for(workspace):
            found = [it async for it in client.list_detector_revisions(parent)]
        for it in found:
            if json:
                print_json(as_dict(it))
                continue
            who = it.creator.removeprefix("users/")
            by, when = await names.of(who) or who, local_time(it.create_time, "%Y-%m-%d %H:%M")
            rows.append((str(it.revision), when, by, it.comment))
    if rows:
        print_table(_HISTORY, rows, whole=True)
    elif not json:
        say(_NONE.format(these(parent)), err=True)
