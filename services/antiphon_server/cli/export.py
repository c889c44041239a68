"""``antiphon export``."""

import os
import stat
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from antiphon_server.cli.console import CommandError, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

_ABOUT = """A person's own copy of what is theirs.

For example:

- `antiphon export person mine.jsonl`
"""
_PRIVATE = 0o600
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def _group() -> None:
    """Keep it a group, with one command."""


@app.command()
def person(
    file: Annotated[Path, typer.Argument(help="Where to; what is there is replaced.")],
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Copy all that is yours into a file of JSON lines, which you alone can read.

    Your profile, everywhere and in your workspaces; the conversations that you can read, each with
    the messages that you have written there; and what is remembered of you, with what it was
    before. A line is one thing, named by its kind.

    For example:

    - `antiphon export person mine.jsonl`
    - `jq -r .message.parts[].text mine.jsonl`
    """
    run(_export(file, json, address, data_dir))


async def _export(path: Path, json: bool, address: str, data_dir: DataDir) -> None:
    import msgspec

    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    counts = {"profile": 0, "conversation": 0, "message": 0, "exported_memory": 0}
    names = {"ExportedMemory": "exported_memory"}
    async with client_for(address, data_dir) as client:
        me = (await client.who_am_i()).user.user_id
        with _opened(path) as out:
            async for each in client.export_person(me):
                kind = names.get(each.DESCRIPTOR.name, each.DESCRIPTOR.name.lower())
                counts[kind] += 1
                out.write(msgspec.json.encode({kind: as_dict(each)}) + b"\n")
    if json:
        print_json({"file": str(path), **counts})
        return
    say(
        f"{path}: {counts['conversation']:,} conversations, {counts['message']:,} messages,"
        f" {counts['exported_memory']:,} memories, {counts['profile']:,} profiles"
    )


def _opened(path: Path) -> BinaryIO:
    """The file, empty, for its owner alone, also where it was there before."""
    try:
        out = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "wb")
        if stat.S_ISREG(os.fstat(out.fileno()).st_mode):  # a terminal's mode is left as it is
            os.fchmod(out.fileno(), _PRIVATE)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}") from None
    return out
