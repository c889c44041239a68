"""``antiphon connections disable``, ``enable`` and ``delete``."""

from antiphon_server.cli.console import aside, in_a_line, print_json
from antiphon_server.cli.options import Address, DataDir, Json, Name
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of


def disable(
    name: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Put a connection out of use; it stays listed. For admins of the workspace.

    For example:

    - `antiphon connections disable wiki`
    """
    run_at(address, data_dir, lambda at: _put_in_use(name, True, workspace, json, at, data_dir))


def enable(
    name: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Put a connection back to use; for admins of the workspace.

    For example:

    - `antiphon connections enable wiki`
    """
    run_at(address, data_dir, lambda at: _put_in_use(name, False, workspace, json, at, data_dir))


def delete(
    name: Name, workspace: Where = "", address: Address = "", data_dir: DataDir = None
) -> None:
    """Remove a connection, and its tools with it; for admins of the workspace.

    For example:

    - `antiphon connections delete wiki`
    """
    run_at(address, data_dir, lambda at: _delete(name, workspace, at, data_dir))


async def _put_in_use(
    name: str, disabled: bool, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    """Change nothing of it but that, whatever else others change meanwhile."""
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        wanted = await client.get_connection(where, name)
        wanted.disabled, wanted.etag = disabled, ""
        changed = await client.update_connection(where, wanted, ["disabled"])
    if json:
        print_json(as_dict(changed))
    elif disabled:
        aside(f"{in_a_line(name)} is out of use; its calls are refused.")
    else:
        aside(f"{in_a_line(name)} is in use again.")


async def _delete(name: str, workspace: str, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        there = name in {it.name async for it in client.list_connections(where)}
        await client.delete_connection(where, name)
    aside(f"{in_a_line(name)} is removed." if there else f"There was none named {in_a_line(name)}.")
