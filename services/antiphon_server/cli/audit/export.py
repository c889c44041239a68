"""``antiphon audit export``."""

import time
from pathlib import Path
from typing import Annotated

import typer

from antiphon_server.cli.console import aside, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

_PROGRESS_S = 1.0


def export(
    file: Annotated[Path, typer.Argument(help="Where to; a file that is there is gone on with.")],
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Copy all security events into a file of JSON lines, with a signed head at its end.

    An export that was interrupted, or made a while ago, goes on behind its last event. Keep the
    file where nobody who can change the server can change it. A file that was changed is
    refused: what is there is verified first.

    For example:

    - `antiphon audit export events.jsonl`
    - `antiphon audit export events.jsonl && antiphon audit verify events.jsonl`
    - `jq -r .event.kind events.jsonl | sort | uniq -c`
    """
    run(_export(file, json, address, data_dir))


async def _export(path: Path, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.audit.writer import ExportFile
    from antiphon_server.cli.connect import client_for

    with ExportFile(path) as file:
        begun, told = file.last, time.monotonic()
        async with client_for(address, data_dir) as client:
            async for answer in client.export_security_events(begun):
                file.add(answer)
                if time.monotonic() - told >= _PROGRESS_S:
                    aside(f"· {file.last:,} of {answer.last_sequence:,} events")
                    told = time.monotonic()
    count = file.last - begun
    if json:
        print_json({"file": str(path), "events": count, "last_sequence": file.last})
    else:
        say(f"{path}: {count:,} events added, {file.last:,} in all, and a signed head")
