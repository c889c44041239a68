"""``antiphon secrets``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of

_ABOUT = """Keep the values that sign the calls of connections, for admins of a workspace.

Values are typed unseen, or read from the standard input or a file: what stands in a command's
arguments others on the machine can read. None is ever shown again.

For example:

- `antiphon secrets`
- `antiphon secrets put wiki-token`
- `antiphon secrets put wiki-token < token.txt`
- `antiphon secrets delete wiki-token`
"""
app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="What credentials call it.")]
_HEADINGS = ("secret", "stored", "used by")
_MOST = 8192


@app.callback()
def secrets(
    context: typer.Context,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run_at(address, data_dir, lambda at: _list(workspace, json, at, data_dir))


@app.command("list")
def list_secrets(
    workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the secrets of a workspace, without their values, and which connections use them.

    For example:

    - `antiphon secrets list`
    """
    run_at(address, data_dir, lambda at: _list(workspace, json, at, data_dir))


@app.command()
def put(
    name: Name,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="Read the value from it.")
    ] = None,
    workspace: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Store a secret, in place of the one before: calls from now on are signed with it.

    The value is typed unseen, or comes from the standard input. Ends of lines behind it are left
    away.

    For example:

    - `antiphon secrets put wiki-token`
    - `antiphon secrets put wiki-token < token.txt`
    - `antiphon secrets put wiki-token --from-file token.txt`
    """
    value = _value(from_file)
    run_at(address, data_dir, lambda at: _put(name, value, workspace, at, data_dir))


@app.command()
def delete(
    name: Name, workspace: Where = "", address: Address = "", data_dir: DataDir = None
) -> None:
    """Remove a secret; connections that use it are down until it is stored again.

    For example:

    - `antiphon secrets delete wiki-token`
    """
    run_at(address, data_dir, lambda at: _delete(name, workspace, at, data_dir))


@app.command()
def rotate(address: Address = "", data_dir: DataDir = None) -> None:
    """Seal the keys of all workspaces' secrets anew, while they are used; for operators.

    Values stay what they are.

    For example:

    - `antiphon secrets rotate`
    """
    run_at(address, data_dir, lambda at: _rotate(at, data_dir))


def _value(file: Path | None) -> str:
    """The value, from where it is. What is no text in a line is no secret."""
    try:
        if file is not None:
            with file.open(encoding="utf-8") as opened:
                return opened.read(_MOST + 3).rstrip("\r\n")
        if sys.stdin.isatty():
            return str(typer.prompt("Value", hide_input=True))
        return sys.stdin.read(_MOST + 3).rstrip("\r\n")
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}", 2)
    except UnicodeDecodeError:
        fail("the value is no text", 2)


async def _list(workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        async for it in client.list_secrets(await workspace_of(client, workspace)):
            if json:
                print_json(as_dict(it))
            else:
                stored = local_time(it.update_time, "%Y-%m-%d %H:%M")
                rows.append((it.name, stored, ", ".join(it.connections) or "nobody"))
    if rows:
        print_table(_HEADINGS, rows)
    elif not json:
        say("There are none. `antiphon secrets put NAME` stores one.", err=True)


async def _put(name: str, value: str, workspace: str, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        stored = await client.put_secret(await workspace_of(client, workspace), name, value)
    used = f"; used by {', '.join(stored.connections)}" if stored.connections else ""
    aside(in_a_line(f"{name} is stored{used}."))


async def _delete(name: str, workspace: str, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        there = name in {it.name async for it in client.list_secrets(where)}
        await client.delete_secret(where, name)
    aside(in_a_line(f"{name} is removed." if there else f"There was none named {name}."))


async def _rotate(address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        wrapped = await client.rotate_secret_keys()
    say(f"A new key wraps the keys of {wrapped} secrets.")
