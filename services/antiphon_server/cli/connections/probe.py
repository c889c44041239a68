"""``antiphon connections test``."""

import typer

from antiphon_server.cli.options import Address, DataDir, Json, Name
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_if_any


def probe(
    name: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Ask a connection now whether it is there; the exit code is 1 if it is not.

    For example:

    - `antiphon connections test wiki`
    """
    run_at(address, data_dir, lambda at: _test(name, workspace, json, at, data_dir))


async def _test(name: str, workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon.integration.v1.connection_pb2 import CONNECTION_STATE_DOWN
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.connections.states import tell

    async with client_for(address, data_dir) as client:
        tested = await client.test_connection(await workspace_if_any(client, workspace), name)
    tell(tested, json)
    if tested.status.state == CONNECTION_STATE_DOWN:
        raise typer.Exit(1)
