"""``antiphon connections pause`` and ``resume``."""

from antiphon_server.cli.options import Address, DataDir, Json, Name
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_if_any


def pause(
    name: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Have nothing sent by a connection, on every server, until `resume`; for operators.

    It opens the connection's breaker: whoever calls its tools is told so at once. Probes go on.

    For example:

    - `antiphon connections pause wiki`
    """
    run_at(address, data_dir, lambda at: _switch(name, "OPEN", workspace, json, at, data_dir))


def resume(
    name: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Have calls made by a connection again at once, on every server; for operators.

    It closes the connection's breaker, whoever opened it. When calls fail too often it is left
    alone anew.

    For example:

    - `antiphon connections resume wiki`
    """
    run_at(address, data_dir, lambda at: _switch(name, "CLOSED", workspace, json, at, data_dir))


async def _switch(
    name: str, state: str, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon.integration.v1.model_pb2 import BreakerState
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.connections.states import state_of
    from antiphon_server.cli.console import in_a_line, print_json, say
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        where = await workspace_if_any(client, workspace)
        wanted = BreakerState.Value(f"BREAKER_STATE_{state}")
        status = await client.set_connection_breaker(where, name, wanted)
    if json:
        print_json(as_dict(status))
    else:
        say(f"{in_a_line(name)} is {state_of(status)}, {status.tools} tools")
