"""``antiphon flags clear``."""

from typing import Annotated

import typer

from antiphon_server.cli.accounts import Names
from antiphon_server.cli.console import aside, in_a_line, print_json, run
from antiphon_server.cli.flags.options import Which
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.options import Where
from antiphon_server.cli.workers.options import asking_for, parent_of


def clear(
    flag: Which,
    reason: Annotated[
        str, typer.Argument(metavar="REASON", help="Why; the audit trail keeps it, with your name.")
    ],
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Close a flag: what it does ends within a second, and what was counted is forgiven.

    Who goes on is flagged again. Cleared once more, it stays as it was cleared first.

    For example:

    - `antiphon flags clear flag_… "their import; it is done"`
    - `antiphon flags clear flag_… "a test" --workspace ws_…`
    """
    run(_clear(flag, reason, workspace, json, address, data_dir))


async def _clear(
    flag: str, reason: str, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.flags.asking import of_whom

    async with client_for(address, data_dir) as client:
        with asking_for(workspace):
            found = await client.clear_flag(parent_of(workspace), flag, reason)
        who = await of_whom(Names(client), found)
    if json:
        print_json(as_dict(found))
    elif found.clear_reason != reason:
        aside(in_a_line(f"It was cleared before: {found.clear_reason}"))
    else:
        aside(in_a_line(f"Cleared. What {found.detector} had counted of {who} is forgotten."))
