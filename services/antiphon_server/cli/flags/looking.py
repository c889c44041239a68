"""``antiphon flags list``."""

import asyncio
from typing import Annotated

import typer

from antiphon_server.cli.accounts import Names
from antiphon_server.cli.console import run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.options import Where, these
from antiphon_server.cli.workers.options import parent_of

_EACH_S = 1.0
"""How often a watch asks for what has changed."""


def list_flags(
    of: Annotated[
        str,
        typer.Option(
            "--of",
            metavar="WHO",
            help="Of one alone: a user by name, sessions/…, conversations/… or workspaces/….",
        ),
    ] = "",
    cleared: Annotated[
        bool, typer.Option("--cleared", help="Those that were cleared, too.")
    ] = False,
    most: Annotated[
        int, typer.Option("--count", min=1, metavar="N", help="How many, the newest.")
    ] = 50,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and print what is flagged or changes.")
    ] = False,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List who is flagged, by which detector, and what it saw; what changed last comes first.

    One is open for each subject of a detector: what goes on is added to it. Those that were
    cleared are kept for 90 days.

    For example:

    - `antiphon flags list`
    - `antiphon flags list --of anna --cleared`
    - `antiphon flags list --workspace ws_… --watch`
    """
    run(_list(of, cleared, most, watch, workspace, json, address, data_dir))


async def _list(
    of: str,
    cleared: bool,
    most: int,
    watch: bool,
    workspace: str,
    json: bool,
    address: str,
    data_dir: DataDir,
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.flags.asking import Watched, Wish, print_flags, subject_of

    async with client_for(address, data_dir) as client:
        wish, names = Wish(workspace, await subject_of(client, of), cleared, most), Names(client)
        watched = await Watched.from_now(client, wish) if watch else None
        found = await wish.newest(client)
        await print_flags(found, names, json)
        if not found and not json:
            say(f"Nobody is flagged by detectors {these(parent_of(workspace))}.", err=True)
        while watched is not None:
            await asyncio.sleep(_EACH_S)
            await print_flags(await watched.news(client), names, json)
