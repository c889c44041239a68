"""``antiphon audit tail``."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.accounts import Names, user_id_of
from antiphon_server.cli.console import aside, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.auth.v1.audit_pb2 import SecurityEvent

_USER_ID = re.compile(r"\buser_[0-9A-Za-z_-]{8,64}\b")
_INDENT = " " * 29
"""Below what happened, behind its place and time."""


def tail(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what happens from now on.")
    ] = False,
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="How many of the newest to begin with.")
    ] = 20,
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="Only of this account, or done by it.")
    ] = "",
    kind: Annotated[
        str, typer.Option("--kind", help="Only these, e.g. `sign_in_failed,alarm_raised`.")
    ] = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show the newest security events, the oldest of them first.

    Operators see all; everybody else sees what concerns themselves.

    For example:

    - `antiphon audit tail`
    - `antiphon audit tail --follow --kind sign_in_failed,alarm_raised`
    - `antiphon audit tail --user anna --json | jq .kind`
    """
    run(_tail(follow, count, user, kind, json, address, data_dir))


async def _tail(
    follow: bool, count: int, user: str, kind: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon.auth.v1.audit_service_pb2 import SecurityEventFilter
    from antiphon_server.cli.audit.lines import kinds_named
    from antiphon_server.cli.connect import client_for

    kinds = kinds_named(kind)
    async with client_for(address, data_dir, give_up_after=float("inf")) as client:
        which = SecurityEventFilter(user_id=await user_id_of(client, user), kinds=kinds)
        names = Names(client)
        newest: list[SecurityEvent] = []
        async for event in client.list_security_events(which):
            if len(newest) == count:
                break
            newest.append(event)
        for event in reversed(newest):
            await _show(event, json, names)
        if not follow:
            return
        aside("· following; Ctrl-C ends it")
        after = newest[0].sequence if newest else None
        async for event in client.watch_security_events(after, which):
            await _show(event, json, names)


async def _show(event: "SecurityEvent", json: bool, names: Names) -> None:
    from antiphon_server.cli.audit.lines import event_json, event_line

    if json:
        print_json(event_json(event))
        return
    say(await _named(event_line(event), names), indent=_INDENT)


async def _named(line: str, names: Names) -> str:
    """The line with people's names in place of their ids, where they may be known.

    As ``users/NAME``: a bare name may be like an address, or like what else stands there.
    """
    for user_id in dict.fromkeys(_USER_ID.findall(line)):
        if name := await names.of(user_id):
            line = line.replace(f"users/{user_id}", user_id).replace(user_id, f"users/{name}")
    return line
