"""``antiphon doctor``."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from antiphon_server.cli.console import as_typed, print_json, run, say
from antiphon_server.cli.env_file import take_env_file
from antiphon_server.cli.options import Address, DataDir, Json

_MARKS = {"ok": ("✓", "green"), "note": ("·", "yellow"), "bad": ("✗", "red")}


def doctor(
    json: Json = False,
    every: Annotated[
        bool, typer.Option("--all", help="Print every check, not only what matters most.")
    ] = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Check every part, and say what to do about what is wrong.

    Looks at versions, the data folder and who may read it, disk space, the server and each
    of its services and parts, the login, the models, and what production would refuse. The
    exit code is 1 if something is wrong.

    For example:

    - `antiphon doctor`
    - `antiphon doctor --all`
    - `antiphon doctor --json | jq 'select(.verdict == "bad")'`
    """
    taken = take_env_file(Path.cwd(), os.environ)
    healthy = run(_doctor(json, every, address, data_dir, taken))
    raise typer.Exit(0 if healthy else 1)


async def _doctor(
    json: bool, every: bool, address: str, data_dir: DataDir, taken: Collection[str]
) -> bool:
    from antiphon_server.cli.doctor.checks import examine

    healthy, unsaid = True, 0
    async for finding in examine(address, data_dir, taken):
        healthy = healthy and finding.verdict != "bad"
        if json:
            print_json(
                {
                    "check": finding.check,
                    "verdict": finding.verdict,
                    "found": finding.found,
                    "remedy": finding.remedy,
                }
            )
            continue
        if finding.routine and finding.verdict != "bad" and not every:
            unsaid += 1
            continue
        mark, colour = _MARKS[finding.verdict]
        say(f"{finding.check}: {finding.found}", mark=f"{mark} ", colour=colour, indent="  ")
        if finding.remedy:
            say(f"    {as_typed(finding.remedy)}", colour=colour, indent="    ")
    if unsaid:
        say(f"{unsaid} more checks found nothing bad; `antiphon doctor --all` prints them.")
    return healthy
