"""``antiphon schedules create``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from antiphon_server.cli.console import fail, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.pairs import pairs_of, type_of
from antiphon_server.cli.schedules.options import Missed


def create(
    conversation: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="Where to post: conv_…")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say.")],
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Once: 2026-12-24T18:00, 17:30 (the next one), or +10m (s, m, h, d).",
        ),
    ] = "",
    cron: Annotated[
        str,
        typer.Option("--cron", metavar="FIELDS", help="Again and again: five fields, in quotes."),
    ] = "",
    time_zone: Annotated[
        str,
        typer.Option(
            "--time-zone",
            metavar="NAME",
            help="Whose clock is meant, as Europe/Berlin. Else --cron goes by your profile's, or "
            "UTC, and --at by this machine's.",
        ),
    ] = "",
    missed: Annotated[
        Missed,
        typer.Option(
            "--missed",
            help="Due times at which no server ran: left out, the newest made up for, or all "
            "(100 at most).",
        ),
    ] = Missed.SKIP,
    handler: Annotated[
        str, typer.Option("--handler", metavar="NAME", help="Who answers; else routes say who.")
    ] = "",
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME", help="Which model answers; repeatable."),
    ] = None,
    new_conversation: Annotated[
        bool,
        typer.Option(
            "--new-conversation", help="Give each run a conversation of its own, which is yours."
        ),
    ] = False,
    title: Annotated[
        str,
        typer.Option(
            "--title",
            metavar="TEXT",
            help="What such a conversation is called; {due_time} becomes when it was due.",
        ),
    ] = "",
    type_name: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="What it is: `form.submitted`, `command`.")
    ] = "",
    metadata: Annotated[
        list[str] | None,
        typer.Option("--metadata", metavar="KEY=VALUE", help="What is said of it; repeatable."),
    ] = None,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Have a message posted in your name: at a time, or again and again.

    It is printed with the next times at which it is due. Whether you may post there is asked each
    time; behind five refusals in a row it is paused.

    For example:

    - `antiphon schedules create conv_… "Sum up the night" --cron "0 7 * * MON-FRI" --time-zone
      Europe/Berlin`
    - `antiphon schedules create conv_… "Is the report there?" --at +2h --handler reviewer`
    - `antiphon schedules create conv_… "Write the weekly report" --cron "0 16 * * FRI" --missed one
      --new-conversation --title "Report of {due_time}"`
    """
    from antiphon_server.cli.schedules.times import at_of, zone_of

    if bool(at) == bool(cron):
        fail("say when: either --at TIME, once, or --cron FIELDS, again and again", 2)
    if title and not new_conversation:
        fail("--title is of --new-conversation: say that, too, or leave the title out", 2)
    zone, kind, said = (
        zone_of(time_zone),
        type_of(type_name),
        pairs_of("--metadata", metadata or ()),
    )
    once = at_of(at, zone, datetime.now(UTC)) if at else None

    async def work() -> None:
        from antiphon.dispatcher.v1.dispatcher_service_pb2 import NewConversation
        from antiphon.dispatcher.v1.schedule_pb2 import Cron, MissedPolicy
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.schedules.refusals import making
        from antiphon_server.cli.schedules.words import told

        async with client_for(address, data_dir) as client:
            with making(at, cron):
                made = await client.create_schedule(
                    conversation,
                    text,
                    once or Cron(expression=cron, time_zone=time_zone),
                    missed=MissedPolicy.Value(f"MISSED_POLICY_{missed.name}"),
                    handler=handler,
                    models=model or (),
                    type=kind,
                    metadata=said,
                    new_conversation=NewConversation(title=title) if new_conversation else None,
                )
        if json:
            print_json(as_dict(made))
            return
        for name, value in told(made, "you"):
            say(f"{name:<9}  {value}")

    run(work())
