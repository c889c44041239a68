"""``antiphon handoffs ask``."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from antiphon_server.cli.console import aside, fail, print_json
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def ask(
    conversation: Annotated[str, typer.Argument(metavar="CONVERSATION", help="Where: conv_…")],
    turn: Annotated[str, typer.Argument(metavar="TURN", help="The turn that runs: turn_…")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="People read it.")] = "",
    admins: Annotated[bool, typer.Option("--admins", help="For admins and owners alone.")] = False,
    within: Annotated[
        str, typer.Option("--within", metavar="TIME", help="How long it waits: 30m, 4h, to 30d.")
    ] = "1d",
    then_say: Annotated[
        str, typer.Option("--then-say", metavar="TEXT", help="You answer that if nobody does.")
    ] = "",
    then_handler: Annotated[
        str, typer.Option("--then-handler", metavar="NAME", help="Who goes on if nobody does.")
    ] = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take a running turn from its handler, and have it wait for people.

    What was said so far stays. If nobody goes on with it in time, the turn fails, unless `--then-…`
    says otherwise.

    For example:

    - `antiphon handoffs ask conv_… turn_… --reason "it promises refunds" --within 4h`
    """
    match = re.fullmatch(r"(\d{1,7})([smhd])", within)
    if match is None:
        fail(f"{within} is no time; write 30m, 4h or 2d", 2)
    expire_after = timedelta(seconds=int(match[1]) * _UNITS[match[2]])

    async def work(at: str) -> None:
        from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_MEMBER
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(at, data_dir) as client:
            handed = await client.hand_off_turn(
                conversation,
                turn,
                reason,
                role=ROLE_ADMIN if admins else ROLE_MEMBER,
                expire_after=expire_after,
                otherwise_text=then_say,
                otherwise_handler=then_handler,
            )
        if json:
            print_json(as_dict(handed))
        else:
            aside(f"{handed.handoff.handoff_id}: waits for people")

    run_at(address, data_dir, work)
