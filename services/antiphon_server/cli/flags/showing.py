"""``antiphon flags show``."""

from antiphon_server.cli.accounts import Names
from antiphon_server.cli.console import in_a_line, print_json, run, say
from antiphon_server.cli.flags.options import Which
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.options import Where
from antiphon_server.cli.workers.options import asking_for, parent_of

_WIDTH = 10


def show(
    flag: Which,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show one flag whole: since when, how often, what its detector counted, and what it does.

    For example:

    - `antiphon flags show flag_…`
    - `antiphon flags show flag_… --workspace ws_… --json`
    """
    run(_show(flag, workspace, json, address, data_dir))


async def _show(flag: str, workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.flags.asking import of_whom
    from antiphon_server.cli.flags.words import pairs_of

    async with client_for(address, data_dir) as client:
        with asking_for(workspace):
            found = await client.get_flag(parent_of(workspace), flag)
        if json:
            print_json(as_dict(found))
            return
        names, by = Names(client), found.cleared_by.removeprefix("users/")
        who, cleared_by = await of_whom(names, found), await names.of(by) or by if by else ""
    for label, value in pairs_of(found, who, cleared_by):
        say(in_a_line(f"{label:<{_WIDTH}}{value}"))
