"""``antiphon whiteboard``."""

import sys
import unicodedata
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import (
    CommandError,
    aside,
    fail,
    in_a_line,
    print_json,
    printable,
    run,
    say,
)
from antiphon_server.cli.counts import counted
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.memory.v1.whiteboard_pb2 import Section, Whiteboard
    from antiphon_client import AntiphonError

_ABOUT = """The working notes of a conversation, in sections, which every prompt there reads.

People write them here and on the page, models by the tool `antiphon.whiteboard`. They go 30 days
after their last change, unless they are kept.

For example:

- `antiphon whiteboard show conv_…`
- `antiphon whiteboard write conv_… Plan "1. Ask Anna  2. Book the room"`
- `antiphon whiteboard write conv_… Decisions "We take the train." --append`
- `antiphon whiteboard history conv_… Plan`
- `antiphon whiteboard keep conv_…`
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")

Where = Annotated[str, typer.Argument(metavar="CONVERSATION", help="Whose notes: conv_….")]
Which = Annotated[str, typer.Argument(metavar="SECTION", help="Which section, by its name.")]
Etag = Annotated[
    str,
    typer.Option(
        "--etag", metavar="ETAG", help="Only if it is as `show --json` has it; `none`: only if new."
    ),
]


@app.command()
def show(
    conversation: Where, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """Show what the whiteboard says, and who wrote it.

    For example:

    - `antiphon whiteboard show conv_…`
    """
    run(_show(conversation, json, address, data_dir))


@app.command()
def write(
    conversation: Where,
    section: Which,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What it shall say; - reads it from the input.")
    ],
    append: Annotated[
        bool, typer.Option("--append", help="Behind what it says, in a line of its own.")
    ] = False,
    etag: Etag = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Write a section, and begin it if it isn't there.

    For example:

    - `antiphon whiteboard write conv_… Plan "1. Ask Anna"`
    - `antiphon whiteboard write conv_… Plan "2. Book the room" --append`
    - `antiphon whiteboard write conv_… Notes - < notes.md`
    """
    said = sys.stdin.read() if text == "-" else text
    run(_write(conversation, section, said, append, etag, json, address, data_dir))


@app.command()
def delete(
    conversation: Where,
    section: Which,
    etag: Etag = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take a section away; what it was stays in the history.

    For example:

    - `antiphon whiteboard delete conv_… Plan`
    """
    run(_delete(conversation, section, etag, address, data_dir))


@app.command()
def history(
    conversation: Where,
    section: Annotated[str, typer.Argument(metavar="[SECTION]", help="Of this one alone.")] = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=100, help="How many at most.")
    ] = 20,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show what sections were, the newest version first.

    For example:

    - `antiphon whiteboard history conv_… Plan`
    """
    run(_history(conversation, section, limit, json, address, data_dir))


@app.command()
def keep(
    conversation: Where,
    no: Annotated[
        bool, typer.Option("--no", help="Let it go 30 days after its last change.")
    ] = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Keep the whiteboard as long as its conversation.

    For example:

    - `antiphon whiteboard keep conv_…`
    - `antiphon whiteboard keep conv_… --no`
    """
    run(_keep(conversation, not no, address, data_dir))


async def _show(conversation: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        found = await client.get_whiteboard(conversation)
    if json:
        print_json(as_dict(found))
        return
    for it in found.sections:
        _print(it)
    _tell(found)


async def _write(
    conversation: str,
    section: str,
    text: str,
    append: bool,
    etag: str,
    json: bool,
    address: str,
    data_dir: DataDir,
) -> None:
    from antiphon_client import AntiphonError
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        written = client.append_to_section if append else client.write_section
        try:
            it = await written(conversation, section, text, etag=etag)
        except AntiphonError as error:
            raise _refused(error, conversation) from None
    if json:
        print_json(as_dict(it))
    else:
        size = counted(it.size_bytes, "byte")
        say(f"{in_a_line(it.name)} is written: version {it.version}, {size}.")


async def _delete(
    conversation: str, section: str, etag: str, address: str, data_dir: DataDir
) -> None:
    from antiphon_client import AntiphonError
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        if etag == "none":
            fail("--etag none is for sections that aren't there", 2)
        if not _stands(section, await client.get_whiteboard(conversation)):
            raise CommandError(
                f"there is no section {in_a_line(section)}: `antiphon whiteboard show"
                f" {in_a_line(conversation)}` shows those that there are"
            )
        try:
            await client.delete_section(conversation, section, etag=etag)
        except AntiphonError as error:
            raise _refused(error, conversation) from None
    say(f"{in_a_line(section)} is gone; `antiphon whiteboard history` has what it said.")


async def _history(
    conversation: str, section: str, limit: int, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        found = await client.list_section_versions(conversation, section, page_size=limit)
    for it in found.versions:
        if json:
            print_json(as_dict(it))
        else:
            _print(it)
    if not found.versions and not json:
        aside("Nothing was written there.")
    if found.next_page_token:
        aside("There are older ones: --limit shows more.")


async def _keep(conversation: str, kept: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        _tell(await client.keep_whiteboard(conversation, kept))


def _stands(section: str, board: "Whiteboard") -> bool:
    """Whether it has one of that name: case doesn't tell them apart."""
    return _key(section) in {_key(it.name) for it in board.sections}


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _refused(error: "AntiphonError", conversation: str) -> Exception:
    """What to do about a section that somebody else has written meanwhile, or that has no name."""
    if error.reason == "INVALID_ARGUMENT" and "name" in error.violations:
        return CommandError(
            "a section is called by letters and digits, at most 48, with single spaces, dots,"
            " _ or - between them"
        )
    if error.reason != "ETAG_MISMATCH":
        return error
    return CommandError(
        "somebody has written that section meanwhile: look at it (`antiphon whiteboard show"
        f" {in_a_line(conversation)}`), put your change in, and write it again"
    )


def _print(it: "Section") -> None:
    from antiphon_server.cli.encoding import local_time

    gone = ", deleted" if it.deleted else ""
    head = f"version {it.version}{gone}, {it.writer}, {local_time(it.update_time)}"
    typer.secho(in_a_line(it.name), bold=True, nl=False)
    typer.secho(f"  {in_a_line(head)}", dim=True)
    for line in printable(it.text).splitlines():
        typer.echo(f"    {line}")
    say("")


def _tell(it: "Whiteboard") -> None:
    from antiphon_server.cli.encoding import local_time

    if it.kept:
        aside("It is kept as long as the conversation.")
    elif it.HasField("expire_time"):
        goes = local_time(it.expire_time, "%Y-%m-%d")
        aside(f"It goes on {goes} if nobody writes on it: `antiphon whiteboard keep` keeps it.")
    else:
        aside("Nothing is written there: `antiphon whiteboard write` begins a section.")
