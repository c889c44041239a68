"""``antiphon memory external``."""

from typing import TYPE_CHECKING

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, run, say
from antiphon_server.cli.counts import counted
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.memory.v1.external_memory_pb2 import ExternalMemoryStatus

_ABOUT = """The memory of others that the server's settings name, for operators.

It is told all that is remembered, and asked beside the server's own (ANTIPHON_EXTERNAL_MEMORY).

For example:

- `antiphon memory external status`
- `antiphon memory external resync` (after it has lost something)
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")


@app.command()
def status(json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Say whether it answers, what it was not told yet, and what it may not have forgotten yet.

    It exits with 1 while it does not answer.

    For example:

    - `antiphon memory external status`
    """

    async def work() -> "ExternalMemoryStatus":
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            return await client.external_memory()

    found = run(work())
    _tell(found, json=json)
    if found.connection and not found.answers:
        raise typer.Exit(1)


@app.command()
def resync(json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Have it told everything anew, from now on.

    For example:

    - `antiphon memory external resync`
    """

    async def work() -> "ExternalMemoryStatus":
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            found = await client.external_memory()
            if not found.connection:
                return found
            return await client.resync_external_memory(found.connection)

    _tell(run(work()), json=json)


def _tell(found: "ExternalMemoryStatus", *, json: bool) -> None:
    from antiphon_server.cli.encoding import as_dict

    if json:
        print_json(as_dict(found))
    elif not found.connection:
        aside("The settings name none: ANTIPHON_EXTERNAL_MEMORY does.")
    else:
        say(f"{in_a_line(found.connection)} ({found.kind}) {_how(found)}")
        for what, how in _numbers(found):
            say(f"{what:<16}{in_a_line(how)}")


def _how(found: "ExternalMemoryStatus") -> str:
    if found.answers:
        return "answers"
    why = f" ({found.error_reason})" if found.error_reason else ""
    return f"does not answer{why}: the server's own memory answers alone"


def _numbers(found: "ExternalMemoryStatus") -> list[tuple[str, str]]:
    asked = ", ".join(
        f"{count} {name.lower().replace('_', ' ')}"
        for name, count in sorted(found.searches.items())
    )
    return [
        ("not told yet", counted(found.waiting_changes, "change")),
        ("refused", f"{counted(found.refused_changes, 'change')}, passed over"),
        ("to be forgotten", f"{found.unconfirmed_forgets} that it has not said to be gone"),
        ("asked", asked or "never, since the server began"),
        (
            "of no use",
            f"{counted(found.dropped_hits, 'hit')}, {found.altered_hits} with other texts",
        ),
    ]
