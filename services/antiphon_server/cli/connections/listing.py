"""``antiphon connections list``."""

from typing import TYPE_CHECKING

from antiphon_server.cli.console import aside, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_if_any

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_pb2 import Connection

_HEADINGS = ("connection", "kind", "state", "tools", "where")


def list_connections(
    workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the connections that a workspace may use, with the state of each.

    For example:

    - `antiphon connections list`
    """
    run_at(address, data_dir, lambda at: listed(workspace, json, at, data_dir))


async def listed(workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    """Print them as a table, or as JSON, and what to do about those that are not up."""
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.connections.states import advice_of, state_of
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    rows, advice = [], []
    async with client_for(address, data_dir) as client:
        async for it in client.list_connections(await workspace_if_any(client, workspace)):
            if json:
                print_json(as_dict(it))
            else:
                kind, where = _target(it)
                rows.append((it.name, kind, state_of(it.status), str(it.status.tools), where))
                advice.append((it.name, advice_of(it)))
    if rows:
        print_table(_HEADINGS, rows)
        for name, said in advice:
            if said:
                aside(f"{in_a_line(name)}: {said}")
    elif not json:
        say("There are none. `antiphon connections add --help` says how to add one.", err=True)


def _target(it: "Connection") -> tuple[str, str]:
    """Which kind it is, and where it leads to."""
    match it.WhichOneof("target"):
        case "mcp":
            return "mcp", it.mcp.url
        case "mcp_program":
            return "program", it.mcp_program.program
        case "openapi":
            return "openapi", it.openapi.url
        case "web_socket":
            return "websocket", it.web_socket.url
        case "grpc":
            return "grpc", it.grpc.address
    return "?", ""
