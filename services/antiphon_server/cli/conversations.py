"""``antiphon conversations``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at

_ABOUT = """List conversations, put them away, and take them back.

Without a command they are listed, those first in which something was last said. Where no server
runs on this machine, one is started for as long as it takes.

For example:

- `antiphon conversations`
- `antiphon conversations --json | jq -r .conversation_id`
- `antiphon conversations list --archived --title Paris`
- `antiphon conversations archive conv_…`
- `antiphon chat --conversation conv_…` (goes on with one of them)
- `antiphon members add conv_… anna` (lets somebody in)
"""

app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
Archived = Annotated[
    bool, typer.Option("--archived", help="Those that are archived, in place of those in use.")
]
Title = Annotated[
    str, typer.Option("--title", metavar="TEXT", help="Those with that in their title.")
]
Which = Annotated[str, typer.Argument(metavar="ID", help="Which, as `list` shows it.")]


@app.callback()
def conversations(
    context: typer.Context,
    limit: Limit = 20,
    archived: Archived = False,
    title: Title = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run_at(address, data_dir, lambda at: _list(limit, archived, title, json, at, data_dir))


@app.command("list")
def list_conversations(
    limit: Limit = 20,
    archived: Archived = False,
    title: Title = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List your conversations, those first in which something was last said.

    For example:

    - `antiphon conversations list --archived`
    - `antiphon conversations list --title Paris -n 100`
    """
    run_at(address, data_dir, lambda at: _list(limit, archived, title, json, at, data_dir))


@app.command()
def archive(conversation: Which, address: Address = "", data_dir: DataDir = None) -> None:
    """Put a conversation away: it can be read, nothing more is said in it, and it can come back.

    For example:

    - `antiphon conversations archive conv_…`
    """
    run_at(address, data_dir, lambda at: _archive(conversation, at, data_dir))


@app.command()
def unarchive(conversation: Which, address: Address = "", data_dir: DataDir = None) -> None:
    """Take an archived conversation into use again.

    For example:

    - `antiphon conversations list --archived`
    - `antiphon conversations unarchive conv_…`
    """
    run_at(address, data_dir, lambda at: _unarchive(conversation, at, data_dir))


async def _list(
    limit: int, archived: bool, title: str, json: bool, address: Address, data_dir: DataDir
) -> None:
    from antiphon.context.v1.context_service_pb2 import CONVERSATION_ORDER_LAST_ACTIVITY
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time

    async with client_for(address, data_dir) as client:
        count = 0
        async for found in client.list_conversations(
            only_archived=archived, order=CONVERSATION_ORDER_LAST_ACTIVITY, title_contains=title
        ):
            count += 1
            if json:
                print_json(as_dict(found))
            else:
                noted = found.HasField("last_activity_time")  # not by a server before this one
                time = found.last_activity_time if noted else found.create_time
                named = in_a_line(found.title) or "(no title)"
                line = f"{found.conversation_id:<31}  {local_time(time)}  {named}"
                say(line, indent=" " * 33)
            if count == limit:
                break
    if not count and not json:
        say(_none(archived, title), err=True)


def _none(archived: bool, title: str) -> str:
    if title:
        return "There are none with that in their title."
    if archived:
        return "None is archived."
    return "There are none yet. Begin one with `antiphon chat`."


async def _archive(conversation: str, address: Address, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        await client.archive_conversation(conversation)
    aside(f"archived; `antiphon conversations unarchive {conversation}` takes it back")


async def _unarchive(conversation: str, address: Address, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        await client.unarchive_conversation(conversation)
    aside("in use again")
