"""Which workspace a command is about."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import fail

if TYPE_CHECKING:
    from antiphon_client import Client

Where = Annotated[
    str,
    typer.Option("--workspace", "-w", metavar="ID", help="Which one; your first one if unsaid."),
]


async def workspace_of(client: "Client", wish: str) -> str:
    """The one that is wished for, else the user's first."""
    if wish:
        return wish
    found = [it.workspace_id async for it in client.list_workspaces()]
    if not found:
        fail("you have no workspace yet; your first conversation makes one", 1)
    return found[-1]
