"""``antiphon flags detectors set`` and ``restore``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import run
from antiphon_server.cli.flags.detectors.options import File
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.routes.options import Comment, Where
from antiphon_server.cli.workers.options import asking_for, parent_of


def set_detectors(
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
    """Replace all detectors by those of a file, and print what that changes.

    They stand on all servers within a second. `+` is a detector that is added, `-` one that is
    removed, `~` one that is changed. Those that keep their name, subject and kind go on counting,
    and their flags do what they say then once their subject goes on.

    For example:

    - `antiphon flags detectors set detectors.toml --comment "60 a minute was too few"`
    - `antiphon flags detectors set detectors.toml --workspace ws_… --if-revision 3`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.flags.detectors.changing import replace
        from antiphon_server.cli.flags.detectors.rules import DETECTORS
        from antiphon_server.cli.rules.file import read_rules

        them = read_rules(DETECTORS, file)
        async with client_for(address, data_dir) as client:
            await replace(client, lambda _: them, workspace, file, comment, if_revision, json)

    run(work())


def restore(
    revision: Annotated[
        int, typer.Argument(min=1, metavar="N", help="Which, as `history` of detectors says.")
    ],
    comment: Comment = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Set the detectors again that there were before, as a new revision.

    For example:

    - `antiphon flags detectors restore 3`
    - `antiphon flags detectors restore 3 --workspace ws_… --comment "4 flagged too many"`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.flags.detectors.changing import replace

        async with client_for(address, data_dir) as client:
            with asking_for(workspace):
                found = await client.get_detectors(parent_of(workspace), revision)
            said = comment or f"as revision {revision}"
            source = f"revision {revision}"
            them = list(found.detectors)
            await replace(client, lambda _: them, workspace, source, said, None, json)

    run(work())
