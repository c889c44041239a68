"""What the commands about schedules share."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.schedule_pb2 import Schedule
    from antiphon_client import Client

Which = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Which, as `list` shows it.")]
Where = Annotated[
    str,
    typer.Option(
        "--conversation",
        "-c",
        metavar="ID",
        help="Where it is, if it isn't yours: conv_…. Yours are found by themselves.",
    ),
]


class Missed(StrEnum):
    """What becomes of due times at which no server ran."""

    SKIP = "skip"
    ONE = "one"
    ALL = "all"


async def found(client: "Client", schedule: str, conversation: str) -> "Schedule":
    """The schedule that is named, as it is now. Raises CommandError."""
    from antiphon_client import NotFound

    where = conversation or await _place(client, schedule)
    try:
        return await client.get_schedule(where, schedule)
    except NotFound:
        raise CommandError(
            f"there is no schedule {schedule} in {where}, or you may not read there: `antiphon "
            f"schedules list --conversation {where}` shows those there are"
        ) from None


async def _place(client: "Client", schedule: str) -> str:
    async for it in client.list_own_schedules():
        if it.schedule_id == schedule:
            return it.conversation_id
    raise CommandError(
        f"you have no schedule {schedule}: `antiphon schedules list` shows yours; of somebody "
        "else's say where it is, as --conversation conv_…"
    )
