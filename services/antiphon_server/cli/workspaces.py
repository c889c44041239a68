"""``antiphon workspaces``."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, aside, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at

if TYPE_CHECKING:
    from antiphon.context.v1.conversation_pb2 import Workspace

_ABOUT = """List workspaces, make them, name them, and put them away.

A workspace has people, connections, secrets, budgets and rules of its own, for the conversations
in it. Your own one is made with your first conversation; others you make here.

Without a command they are listed, the newest first. Where no server runs on this machine, one is
started for as long as it takes.

For example:

- `antiphon workspaces`
- `antiphon workspaces --json | jq -r .workspace_id`
- `antiphon workspaces create "The lab"`
- `antiphon workspaces rename ws_… "The old lab"`
- `antiphon workspaces archive ws_…`
- `antiphon members add ws_… anna` (lets somebody in)
- `antiphon connections --workspace ws_…` (what there is in it, and so with other commands)
- `antiphon erase workspace ws_…`
"""

app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
_HEADINGS = ("workspace", "made", "is", "name")
_NAME = "a workspace's name has 1 to 128 characters"
_OWN = (
    "that is your own workspace, where your conversations begin: archived, it would take none any "
    "more, and nothing takes that back"
)
Archived = Annotated[
    bool, typer.Option("--archived", help="Those that are archived, in place of those in use.")
]
Which = Annotated[str, typer.Argument(metavar="ID", help="Which, as `list` shows it: ws_….")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What people see, in quotes.")]


@app.callback()
def workspaces(
    context: typer.Context,
    archived: Archived = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run_at(address, data_dir, lambda at: _list(archived, json, at, data_dir))


@app.command("list")
def list_workspaces(
    archived: Archived = False, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the workspaces that you are a member of, the newest first; `personal` is your own.

    For example:

    - `antiphon workspaces list --archived` (those that were erased, too, without a name)
    - `antiphon workspaces list --json | jq -r 'select(.display_name == "The lab").workspace_id'`
    """
    run_at(address, data_dir, lambda at: _list(archived, json, at, data_dir))


@app.command()
def create(name: Name, json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Make a workspace. You own it, and nobody else is in it yet.

    For example:

    - `antiphon workspaces create "The lab"`
    - `antiphon members add ws_… anna --role admin`
    """
    run_at(address, data_dir, lambda at: _create(name, json, at, data_dir))


@app.command()
def rename(
    workspace: Which,
    name: Name,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Give a workspace another name; for its admins. Its id stays.

    For example:

    - `antiphon workspaces rename ws_… "The old lab"`
    """
    run_at(address, data_dir, lambda at: _rename(workspace, name, json, at, data_dir))


@app.command()
def archive(
    workspace: Which,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether I mean it.")] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Put a workspace away, for good; for its admins.

    No conversation is begun there any more. Those that there are go on.

    For example:

    - `antiphon workspaces archive ws_…`
    - `antiphon workspaces list --archived`
    """
    if not yes:
        asked = "Archive it? No conversation is begun there any more, and nothing takes that back."
        typer.confirm(asked, abort=True, err=True)
    run_at(address, data_dir, lambda at: _archive(workspace, json, at, data_dir))


async def _list(archived: bool, json: bool, address: Address, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.which_workspace import own_workspace

    async with client_for(address, data_dir) as client:
        listed = client.list_workspaces(show_archived=archived)
        found = [it async for it in listed if it.HasField("archive_time") == archived]
        own = await own_workspace(client)
    if json:
        for it in found:
            print_json({**as_dict(it), "personal": it.workspace_id == own})
    elif found:
        _show(found, own)
    else:
        say("None is archived." if archived else _NONE, err=True)


_NONE = (
    "There are none yet. Your first conversation makes your own one (`antiphon chat`), and "
    "`antiphon workspaces create NAME` others."
)


def _show(workspaces: "Iterable[Workspace]", own: str = "") -> None:
    from antiphon_server.cli.encoding import local_time
    from antiphon_server.cli.table import print_table

    rows = [
        (
            it.workspace_id,
            local_time(it.create_time, "%Y-%m-%d %H:%M"),
            _what_is(it, own),
            it.display_name or "(no name)",
        )
        for it in workspaces
    ]
    print_table(_HEADINGS, rows)


def _what_is(it: "Workspace", own: str) -> str:
    told = ("personal" * (it.workspace_id == own), "archived" * it.HasField("archive_time"))
    return ", ".join(filter(None, told)) or "-"


async def _create(name: str, json: bool, address: Address, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        with _naming():
            made = await client.create_workspace(name.strip())
    if json:
        print_json(as_dict(made))
        return
    _show([made])
    aside(f"`antiphon members add {made.workspace_id} WHO` lets somebody in")


async def _rename(
    workspace: str, name: str, json: bool, address: Address, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        with _naming():
            changed = await client.rename_workspace(workspace, name.strip())
    if json:
        print_json(as_dict(changed))
    else:
        aside(f"its name is {in_a_line(changed.display_name)}")


async def _archive(workspace: str, json: bool, address: Address, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.which_workspace import own_workspace

    async with client_for(address, data_dir) as client:
        if workspace == await own_workspace(client):
            raise CommandError(_OWN)
        archived = await client.archive_workspace(workspace)
    if json:
        print_json(as_dict(archived))
    else:
        aside("archived; `antiphon workspaces --archived` lists it")


@contextmanager
def _naming() -> Iterator[None]:
    """Say what a name has to be. Raises CommandError."""
    from antiphon_client import AntiphonError

    try:
        yield
    except AntiphonError as error:
        if any(field.endswith("display_name") for field in error.violations):
            raise CommandError(_NAME) from None
        raise
