"""``antiphon webhooks deliveries`` and ``redeliver``."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, print_json, run
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.webhooks.options import Where, Which

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.webhook_pb2 import Delivery

_HEADINGS = ("when", "notification", "told", "turn", "state", "tries", "newest", "next")
_TIME = "%Y-%m-%d %H:%M:%S %Z"


def deliveries(
    webhook: Which,
    state: Annotated[
        str,
        typer.Option("--state", metavar="STATE", help="Only: waiting, delivered, failed."),
    ] = "",
    most: Annotated[int, typer.Option("--most", min=1, metavar="N", help="At most so many.")] = 50,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List what was posted to a webhook and what is to be, the newest first.

    Those that have ended are kept for 7 days.

    For example:

    - `antiphon webhooks deliveries wh_…`
    - `antiphon webhooks deliveries wh_… --state failed --json`
    """

    async def work() -> None:
        from antiphon.dispatcher.v1.webhook_pb2 import DeliveryState
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.kinds import named
        from antiphon_server.cli.table import print_table

        states = named(DeliveryState.items(), "DELIVERY_STATE_", state)
        found: list[Delivery] = []
        async with client_for(address, data_dir) as client:
            wanted = states[0] if states else DeliveryState.ValueType(0)
            async for it in client.list_deliveries(webhook, workspace, state=wanted):
                found.append(it)
                if len(found) == most:
                    break
        if json:
            for it in found:
                print_json(as_dict(it))
        elif found:
            print_table(_HEADINGS, map(_row, islice(found, most)), whole=True)
        else:
            aside("There are none: nothing has happened that it is told of.")

    run(work())


def redeliver(
    webhook: Which,
    notification: Annotated[
        str, typer.Argument(metavar="NOTIFICATION", help="Which: ntf_…, as `deliveries` says.")
    ],
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Post one again, whatever became of it; it has all its tries before it.

    For example:

    - `antiphon webhooks redeliver wh_… ntf_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            found = await client.redeliver(webhook, notification, workspace)
        if json:
            print_json(as_dict(found))
        else:
            aside(f"{notification} is posted again; see `antiphon webhooks deliveries {webhook}`.")

    run(work())


def _row(it: "Delivery") -> tuple[str, ...]:
    from antiphon.dispatcher.v1.webhook_pb2 import DeliveryState
    from antiphon_server.cli.encoding import local_time
    from antiphon_server.cli.kinds import name_of
    from antiphon_server.cli.webhooks.words import came_back

    state = name_of(DeliveryState, "DELIVERY_STATE_", it.state)
    when, again = (local_time(at, _TIME) for at in (it.create_time, it.next_attempt_time))
    what = (it.notification_id, it.message.type, it.message.data.turn_id)
    return when, *what, state, str(it.attempts), came_back(it.outcome, it.status_code), again
