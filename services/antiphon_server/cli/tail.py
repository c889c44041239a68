"""``antiphon tail``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, aside, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon_client import Connection


def tail(
    scope: Annotated[
        str,
        typer.Argument(
            help="`conv_…`, `ws_…` or `user_…` (or in full: `conversations/conv_…`); or "
            "`global`: news for everybody, not everybody's news.",
            show_default=False,
        ),
    ],
    start: Annotated[
        str,
        typer.Option("--from", metavar="CURSOR", help="`earliest`, `latest`, or a cursor."),
    ] = "latest",
    kinds: Annotated[
        str, typer.Option("--kinds", help="Only these, e.g. `message_posted,turn_finished`.")
    ] = "",
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="Stop after so many; 0 means never.")
    ] = 0,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Follow a log: print every event once and in order, also after the connection broke.

    With --json each line is an event and has a `cursor`: give it to --from, and it goes on
    right behind that event.

    For example:

    - `antiphon tail conv_… --from earliest`
    - `antiphon tail conv_… --kinds message_posted,turn_finished --json`
    - `antiphon tail conv_… --from "$CURSOR" --json`
    """
    run(_tail(scope, start, kinds, count, json, address, data_dir))


async def _tail(
    scope: str, start: str, kinds: str, count: int, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.events import event_json, event_line, kinds_named

    wanted = kinds_named(kinds)
    cursor = "" if start in ("earliest", "latest") else start
    left = count
    place = full_scope(scope)
    connections = _Connections(f"following {place} {_beginning(start)}; Ctrl-C ends it")
    client = client_for(address, data_dir, give_up_after=float("inf"), on_connection=connections)
    async with client:
        follow = client.follow(
            place,
            cursor=cursor,
            earliest=start == "earliest",
            kinds=wanted,
            max_batch_events=1 if json else 0,
        )
        async for batch in follow.batches():
            for event in batch.events:
                if json:
                    print_json(event_json(event, batch.cursor))
                else:
                    say(event_line(event), indent=" " * 19)
                left -= 1
                if left == 0:
                    return


def _beginning(start: str) -> str:
    known = {"earliest": "from its beginning", "latest": "from now on"}
    return known.get(start, "from the cursor on")


class _Connections:
    """Says on stderr what is followed; when the connection broke, and why, once."""

    def __init__(self, following: str) -> None:
        self._following = following
        self._broken = False

    def __call__(self, connection: "Connection") -> None:
        from antiphon_server.cli.explain import explain

        if connection.state == "connected" and self._following:
            aside(f"· {self._following}")
            self._following, self._broken = "", False
        elif connection.state == "connected" and self._broken:
            aside("· connected again")
            self._broken = False
        elif connection.error is not None and not self._broken:
            aside(f"· {explain(connection.error)}; trying again")
            self._broken = True


def full_scope(scope: str) -> str:
    """A scope's full name. Raises CommandError if it is none."""
    folders = {"conv": "conversations", "ws": "workspaces", "user": "users"}
    folder = folders.get(scope.partition("_")[0])
    if folder is not None and "/" not in scope:
        return f"{folder}/{scope}"
    if scope == "global" or scope.partition("/")[0] in folders.values():
        return scope
    raise CommandError(
        f"{scope!r} is no scope; write conv_…, ws_…, user_… or global. "
        "`antiphon conversations` lists conversations."
    )
