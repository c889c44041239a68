"""What the commands about webhooks share."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from antiphon_server.cli.console import CommandError, say

if TYPE_CHECKING:
    from antiphon.events.v1.event_pb2 import NotificationKind, TurnState

Where = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        metavar="ID",
        help="Those of this workspace, told of all its turns, for its admins; else your own.",
    ),
]
Which = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Which: wh_…, as `list` says.")]
Url = Annotated[
    str, typer.Argument(metavar="URL", help="Where to post: https://hooks.example/antiphon")
]
Description = Annotated[str, typer.Option("--description", metavar="TEXT", help="What it is for.")]
Kinds = Annotated[
    str,
    typer.Option(
        "--kinds",
        metavar="KIND,…",
        help="Only these: turn_ended, turn_waiting, turn_handed_off, handoff_ended. Default: all.",
    ),
]
States = Annotated[
    str,
    typer.Option(
        "--states",
        metavar="STATE,…",
        help="Only ends in these: succeeded, failed, cancelled, expired. Default: all.",
    ),
]
Handlers = Annotated[
    list[str] | None,
    typer.Option("--handler", metavar="NAME", help="Only turns of this one; repeatable."),
]
Workspaces = Annotated[
    list[str] | None,
    typer.Option(
        "--only-in", metavar="ID", help="Of your own: only turns in this workspace; repeatable."
    ),
]


def checked(url: str) -> str:
    """It, if it is one that can be posted to. Raises CommandError."""
    if not url.startswith(("http://", "https://")):
        raise CommandError("write the URL as https://hooks.example/antiphon")
    return url


def warn_of(url: str) -> None:
    """Say on stderr that others can read what is posted there, if they can."""
    from antiphon_server.runtime.net.loopback import is_loopback

    if url.startswith("http://") and not is_loopback(urlsplit(url).hostname or ""):
        told = (
            "what is posted there is not encrypted: whoever is in between reads it; write https://"
        )
        say(told, mark="! ", colour="yellow", err=True)


def kinds_of(names: str) -> "list[NotificationKind.ValueType]":
    """What is meant by them. Raises CommandError."""
    from antiphon.events.v1.event_pb2 import NotificationKind
    from antiphon_server.cli.kinds import named

    said = names.replace(".", "_")  # as messages say it: turn.ended
    return named(NotificationKind.items(), "NOTIFICATION_KIND_", said)


def states_of(names: str) -> "list[TurnState.ValueType]":
    """The same for states of turns. Raises CommandError."""
    from antiphon.events.v1.event_pb2 import TurnState
    from antiphon_server.cli.kinds import named

    ends = [it for it in TurnState.items() if it[1] in (0, 4, 5, 6, 7)]
    return named(ends, "TURN_STATE_", names)
