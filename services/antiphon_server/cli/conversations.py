"""``antiphon conversations``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.pairs import Labels, Language, language_of, pairs_of

if TYPE_CHECKING:
    from antiphon.context.v1.conversation_pb2 import Conversation

_ABOUT = """List conversations, name them, put them away, and take them back.

Without a command they are listed, those first in which something was last said. Where no server
runs on this machine, one is started for as long as it takes.

For example:

- `antiphon conversations`
- `antiphon conversations --json | jq -r .conversation_id`
- `antiphon conversations list --archived --title Paris`
- `antiphon conversations archive conv_…`
- `antiphon conversations set conv_… --label team=sales --language de`
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


@app.command("set")
def set_conversation(
    conversation: Which,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="What it is called in lists.")
    ] = None,
    label: Labels = None,
    no_labels: Annotated[
        bool, typer.Option("--no-labels", help="Take away all labels that it has.")
    ] = False,
    language: Language = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say what a conversation is called, what it is about, and which language its people speak.

    What is not given stays as it is. Labels that are given take the place of all that it had.

    For example:

    - `antiphon conversations set conv_… --title "The trip to Paris"`
    - `antiphon conversations set conv_… --label team=sales --label tier=gold`
    - `antiphon conversations set conv_… --language pt-BR --no-labels`
    """
    if label and no_labels:
        fail("--label and --no-labels say two things; leave one out", 2)
    wish: dict[str, Any] = {}
    if title is not None:
        wish["title"] = title
    if label or no_labels:
        wish["labels"] = pairs_of("--label", label or ())
    if language:
        wish["language"] = language_of(language)
    if not wish:
        fail("there is nothing to set; give --title, --label, --no-labels or --language", 2)
    run_at(address, data_dir, lambda at: _set(conversation, wish, json, at, data_dir))


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
                line = f"{found.conversation_id:<31}  {local_time(time)}  {named}{_beside(found)}"
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


def _beside(it: "Conversation") -> str:
    """Its language and labels, as `set` takes them; nothing of most."""
    labels = [f"{key}={in_a_line(it.labels[key])}" for key in sorted(it.labels)]
    told = ", ".join(filter(None, [it.language, *labels]))
    return f"  ({told})" if told else ""


async def _set(
    conversation: str, wish: dict[str, Any], json: bool, address: Address, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        changed = await client.update_conversation(conversation, **wish)
    if json:
        print_json(as_dict(changed))
    else:
        aside(f"set: {in_a_line(changed.title) or '(no title)'}{_beside(changed)}")


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
