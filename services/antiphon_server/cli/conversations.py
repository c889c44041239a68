"""``antiphon conversations``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import found_or_started


def conversations(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List your conversations, the newest first.

    Where no server runs on this machine, one is started for as long as it takes.

    For example:

    - `antiphon conversations`
    - `antiphon conversations --json | jq -r .conversation_id`
    - `antiphon chat --conversation conv_…` (goes on with one of them)
    - `antiphon members add conv_… anna` (lets somebody in)
    """
    with found_or_started(address, data_dir) as found:
        run(_list(limit, archived, json, found.address, data_dir))


async def _list(
    limit: int, archived: bool, json: bool, address: Address, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time

    async with client_for(address, data_dir) as client:
        count = 0
        async for found in client.list_conversations(show_archived=archived):
            count += 1
            if json:
                print_json(as_dict(found))
            else:
                title = in_a_line(found.title) or "(no title)"
                line = f"{found.conversation_id:<31}  {local_time(found.create_time)}  {title}"
                say(line, indent=" " * 33)
            if count == limit:
                break
        if not count and not json:
            say("There are none yet. Begin one with `antiphon chat`.", err=True)
