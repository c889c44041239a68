"""Who can answer in a conversation."""

from antiphon_client import Client, NotFound
from antiphon_server.cli.which_workspace import INSTALLATION, workspace_of_new


async def handlers_of(client: Client, conversation_id: str) -> list[str]:
    """Their names, with those of the workspace, which guests are not told of.

    Without a conversation the workspace is that in which one would be made.
    """
    workspace = await _workspace_of(client, conversation_id)
    try:
        return [it.name async for it in client.list_handlers(workspace)]
    except NotFound:
        return [it.name async for it in client.list_handlers()]


async def _workspace_of(client: Client, conversation_id: str) -> str:
    if conversation_id:
        return (await client.get_conversation(conversation_id)).workspace_id
    found = await workspace_of_new(client)
    return "" if found == INSTALLATION else found
