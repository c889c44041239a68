"""Which workspace a command is about."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import fail

if TYPE_CHECKING:
    from antiphon_client import Client

Where = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        metavar="ID",
        help="Which one, as `antiphon workspaces` lists them; your own if unsaid.",
    ),
]


INSTALLATION = "global"
"""In a workspace's place: what all of them may use."""


async def workspace_of(client: "Client", wish: str) -> str:
    """The one that is wished for, else the user's own, else their first."""
    found = await workspace_if_any(client, wish)
    if found == INSTALLATION and not wish:
        fail("you have no workspace yet; your first conversation makes one", 1)
    return found


async def workspace_if_any(client: "Client", wish: str) -> str:
    """The same, or the installation for whoever has none yet."""
    if wish:
        return wish
    own, found = await own_workspace(client), await _workspaces(client)
    if own in found:
        return own
    return found[-1] if found else INSTALLATION


async def workspace_of_new(client: "Client") -> str:
    """Where a conversation is begun for which none is named: what may be used there.

    That is the user's own; the installation as long as they have made none there.
    """
    own = await own_workspace(client)
    return own if own in await _workspaces(client) else INSTALLATION


async def own_workspace(client: "Client") -> str:
    """The id of the user's own workspace, which their first conversation makes."""
    from antiphon_server.context.model.resources import own_workspace_id
    from antiphon_server.runtime.access.principal import UserId

    return own_workspace_id(UserId((await client.who_am_i()).user.user_id))


async def _workspaces(client: "Client") -> list[str]:
    return [it.workspace_id async for it in client.list_workspaces()]
