"""``antiphon filters screenings``."""

from typing import Annotated

import typer

from antiphon_server.cli.accounts import Names, user_id_of
from antiphon_server.cli.console import print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.options import Where, these
from antiphon_server.cli.workers.options import asking_for, parent_of


def screenings(
    author: Annotated[
        str, typer.Option("--author", metavar="WHO", help="Of one alone, by name or user_….")
    ] = "",
    most: Annotated[
        int, typer.Option("--count", min=1, metavar="N", help="How many, the newest.")
    ] = 20,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List what filters had to say lately, the newest first, of what and by whom.

    What was found is in no list, only what it was: `aws_key`, `github_token`. Each is kept for 90
    days.

    For example:

    - `antiphon filters screenings`
    - `antiphon filters screenings --workspace ws_… --author anna --json`
    """
    run(_screenings(author, most, workspace, json, address, data_dir))


async def _screenings(
    author: str, most: int, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.filters.words import SCREENINGS, screening_row
    from antiphon_server.cli.table import print_table

    rows, parent = [], parent_of(workspace)
    async with client_for(address, data_dir) as client:
        names, who = Names(client), await user_id_of(client, author.removeprefix("users/"))
        with asking_for(workspace):
            found = client.list_screenings(parent, f"users/{who}" if who else "")
            async for it in found:
                most -= 1
                if json:
                    print_json(as_dict(it))
                else:
                    user = it.author.removeprefix("users/")
                    when = local_time(it.create_time, "%Y-%m-%d %H:%M")
                    rows.append(screening_row(it, when, await names.of(user) or user))
                if not most:
                    break
            await found.aclose()
    if rows:
        print_table(SCREENINGS, rows, whole=True)
    elif not json:
        say(f"No filter {these(parent)} had anything to say in the last 90 days.", err=True)
