"""``antiphon handlers``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.turn_pb2 import Handler

_HEADINGS = ("handler", "now", "works on it", "examples", "what it does")


def handlers(
    workspace: Annotated[
        str,
        typer.Option(
            "--workspace", "-w", metavar="ID", help="This workspace's own, too; else those of all."
        ),
    ] = "",
    examples: Annotated[
        bool, typer.Option("--examples", help="Print what messages are for each, too.")
    ] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List who can answer: what people choose with /handler in a chat, and routes by themselves.

    The server's own are always there; one of workers is away while none of them is. Examples are
    messages that are for it, as its workers say: by them and by what it does, rules of routes
    choose among experts.

    For example:

    - `antiphon handlers`
    - `antiphon handlers --workspace ws_… --examples`
    - `antiphon chat --handler reviewer` (asks one of them)
    - `antiphon routes show` (who gets what names none)
    - `antiphon workers invite reviewer` (lets one in)
    """
    run(_show(workspace, examples, json, address, data_dir))


async def _show(
    workspace: str, examples: bool, json: bool, address: Address, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    async with client_for(address, data_dir) as client:
        found = [it async for it in client.list_handlers(workspace)]
    if json:
        for it in found:
            print_json(as_dict(it))
        return
    print_table(_HEADINGS, map(_row, found), whole=True)
    if examples:
        _print_examples(found)
    default = next((it.name for it in found if it.default), "")
    aside(in_a_line(f"{default} answers where nobody names one and no route says who."))


def _row(it: "Handler") -> tuple[str, ...]:
    works = "the server" if it.built_in else "workers"
    there = "there" if it.available else "away"
    return it.name, there, works, str(len(it.examples) or ""), it.description


def _print_examples(found: "Sequence[Handler]") -> None:
    for it in found:
        if it.examples:
            say(f"\n{in_a_line(it.name)}:")
            for example in it.examples:
                say(f"  {in_a_line(example)}")
