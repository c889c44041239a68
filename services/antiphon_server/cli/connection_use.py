"""Putting a connection out of use, and back."""

from antiphon_server.cli.console import aside, in_a_line, print_json
from antiphon_server.cli.options import DataDir
from antiphon_server.cli.workspaces import workspace_of


async def put_in_use(
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
