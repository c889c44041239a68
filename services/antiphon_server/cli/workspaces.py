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


INSTALLATION = "global"
"""In a workspace's place: what all of them may use."""


async def workspace_of(client: "Client", wish: str) -> str:
    """The one that is wished for, else the user's first."""
    found = await workspace_if_any(client, wish)
    if found == INSTALLATION and not wish:
        fail("you have no workspace yet; your first conversation makes one", 1)
    return found


async def workspace_if_any(client: "Client", wish: str) -> str:
    """The same, or the installation for whoever has none yet."""
    if wish:
        return wish
    found = [it.workspace_id async for it in client.list_workspaces()]
    return found[-1] if found else INSTALLATION
