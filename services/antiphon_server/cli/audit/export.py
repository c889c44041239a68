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
    file where nobody who can change the server can change it.

    For example:

    - `antiphon audit export events.jsonl`
    - `antiphon audit export events.jsonl && antiphon audit verify events.jsonl`
    - `jq -r .event.kind events.jsonl | sort | uniq -c`
    """
    run(_export(file, json, address, data_dir))


async def _export(path: Path, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.audit.file import event_text, head_text, open_to_go_on
    from antiphon_server.cli.connect import client_for

    count, told = 0, time.monotonic()
    async with client_for(address, data_dir) as client:
        file, last = open_to_go_on(path)
        with file:
            async for answer in client.export_security_events(last):
                file.writelines(event_text(event) for event in answer.events)
                count += len(answer.events)
                if time.monotonic() - told >= _PROGRESS_S:
                    aside(f"· {last + count:,} of {answer.last_sequence:,} events")
                    told = time.monotonic()
                if answer.HasField("head"):
                    file.write(head_text(answer.head))
    if json:
        print_json({"file": str(path), "events": count, "last_sequence": last + count})
    else:
        say(f"{path}: {count:,} events added, {last + count:,} in all, and a signed head")
