"""``antiphon filters try``."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import fail, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.options import Where
from antiphon_server.cli.workers.options import asking_for, parent_of

if TYPE_CHECKING:
    from antiphon.context.v1.filter_service_pb2 import TryFiltersResponse


def try_filters(
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="What would be said; the input if unsaid."),
    ] = None,
    file: Annotated[
        str,
        typer.Option(
            "--filters", metavar="FILE", help="Filters to try in place of those that stand."
        ),
    ] = "",
    stage: Annotated[
        str,
        typer.Option(
            "--in", metavar="WHERE", help="Where it comes from: message, tool_result or answer."
        ),
    ] = "message",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say what would become of something; it is not said, and nothing of it is stored.

    Several texts are the parts of one message. With `--filters`, a file's look in place of those
    that stand there.

    For example:

    - `antiphon filters try "my key is ghp_…"`
    - `antiphon filters try --workspace ws_… < letter.txt`
    - `antiphon filters try --filters filters.toml "hello"`
    """
    if not texts and sys.stdin.isatty():
        fail("say what would be said: `antiphon filters try TEXT`, or `< FILE`", 2)
    run(_try(texts, file, stage, workspace, json, address, data_dir))


async def _try(
    texts: list[str] | None,
    file: str,
    stage: str,
    workspace: str,
    json: bool,
    address: str,
    data_dir: DataDir,
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.filters.making import stage_of
    from antiphon_server.cli.filters.rules import FILTERS
    from antiphon_server.cli.rules.file import read_rules
    from antiphon_server.cli.rules.refusals import setting

    where = stage_of(stage)
    them = read_rules(FILTERS, file) if file else []
    said = texts or [sys.stdin.buffer.read().decode(errors="replace")]
    async with client_for(address, data_dir) as client:
        with asking_for(workspace), setting(FILTERS, file, them):
            parent = parent_of(workspace)
            found = await client.try_filters(parent, *said, filters=them, stage=where)
    if json:
        print_json(as_dict(found))
    else:
        _print(found)


def _print(found: "TryFiltersResponse") -> None:
    from antiphon.context.v1.filter_pb2 import FILTER_ACTION_HOLD, FILTER_ACTION_SANITISE
    from antiphon_server.cli.filters.words import VERDICTS, verdict_row
    from antiphon_server.cli.table import print_table

    if not found.verdicts:
        say("It would go on as it is: no filter has anything to say.")
        return
    print_table(VERDICTS, map(verdict_row, found.verdicts), whole=True)
    say("")
    if found.refused:
        say("It would be refused, and stored nowhere.")
    elif found.action == FILTER_ACTION_HOLD:
        say("It would wait for a person: `antiphon handoffs` lists it.")
    elif found.action == FILTER_ACTION_SANITISE:
        say("It would go on so:")
        for part in found.parts:
            say(part.text)
    else:
        say("It would go on as it is.")
