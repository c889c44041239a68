"""``antiphon connections authorize``."""

from typing import Annotated

import typer

from antiphon_server.cli.options import Address, DataDir, Json, Name
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of


def authorize(
    name: Name,
    port: Annotated[
        int, typer.Option("--port", help="Where the browser comes back to; 0 for a free one.")
    ] = 0,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Consent to a connection in a browser, for all of the workspace; for its admins.

    For example:

    - `antiphon connections authorize notes`
    """
    run_at(address, data_dir, lambda at: _authorize(name, port, workspace, json, at, data_dir))


async def _authorize(
    name: str, port: int, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.connections.consent import consented
    from antiphon_server.cli.connections.states import tell

    async with client_for(address, data_dir) as client:
        done = await consented(client, await workspace_of(client, workspace), name, port)
    tell(done, json)
