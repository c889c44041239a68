"""``antiphon routes set`` and ``restore``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.routes.options import Comment, File, Where, these
from antiphon_server.cli.workers.options import asking_for, parent_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.dispatcher.v1.route_pb2 import RouteRule
    from antiphon_client import Client


def set_routes(
    file: File,
    comment: Comment = "",
    if_revision: Annotated[
        int | None,
        typer.Option(
            "--if-revision", min=0, metavar="N", help="Only if that is still the newest one."
        ),
    ] = None,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Replace all rules by those of a file, and print what that changes.

    Turns that come later go by the new ones, on all servers within a second. `+` is a rule that is
    added, `-` one that is removed, `~` one that is changed.

    For example:

    - `antiphon routes set routes.toml --comment "invoices have an expert"`
    - `antiphon routes set routes.toml --workspace ws_… --if-revision 3`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.routes.rules import RULES
        from antiphon_server.cli.rules.file import read_rules

        rules = read_rules(RULES, file)
        async with client_for(address, data_dir) as client:
            await _set(client, workspace, file, rules, comment, if_revision, json)

    run(work())


def restore(
    revision: Annotated[
        int, typer.Argument(min=1, metavar="N", help="Which, as `antiphon routes history` says.")
    ],
    comment: Comment = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Set the rules again that were the routes before, as a new revision.

    For example:

    - `antiphon routes restore 3`
    - `antiphon routes restore 3 --workspace ws_… --comment "4 sent too much to travel"`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            with asking_for(workspace):
                found = await client.get_routes(parent_of(workspace), revision)
            said = comment or f"as revision {revision}"
            await _set(client, workspace, f"revision {revision}", found.rules, said, None, json)

    run(work())


async def _set(
    client: "Client",
    workspace: str,
    source: str,
    rules: "Sequence[RouteRule]",
    comment: str,
    seen: int | None,
    json: bool,
) -> None:
    """Replace the rules that were there when this was asked for by those of a source."""
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.routes.rules import RULES
    from antiphon_server.cli.rules.changes import changes
    from antiphon_server.cli.rules.refusals import setting

    parent = parent_of(workspace)
    with asking_for(workspace), setting(RULES, source, rules):
        before = await client.get_routes(parent)
        expected = before.revision if seen is None else seen
        made = await client.set_routes(parent, rules, comment=comment, expected_revision=expected)
    if json:
        print_json(as_dict(made))
        return
    if made.revision == before.revision:
        aside(f"Nothing changes: these are the rules of revision {made.revision}.")
        return
    for line in changes(before.rules, made.rules):
        say(in_a_line(line))
    aside(f"The routes {these(parent)} are revision {made.revision} from now on.")
