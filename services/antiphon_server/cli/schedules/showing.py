"""``antiphon schedules list``, ``show`` and ``runs``."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import fail, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.schedules.options import Where, Which, found

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.schedule_pb2 import Schedule
    from antiphon_client import Client

_NONE = "There are none. `antiphon schedules create --help` says how one is made."


def list_schedules(
    conversation: Annotated[
        str,
        typer.Option("--conversation", "-c", metavar="ID", help="Everybody's of a conversation."),
    ] = "",
    workspace: Annotated[
        str,
        typer.Option(
            "--workspace", "-w", metavar="ID", help="All of a workspace, for its admins: ws_…"
        ),
    ] = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List your schedules, or those of a conversation or a workspace: when each is due next.

    Times are by the clock of the place that a schedule names.

    For example:

    - `antiphon schedules list`
    - `antiphon schedules list --conversation conv_…`
    - `antiphon schedules list --workspace ws_… --json | jq -r .creator`
    """
    if conversation and workspace:
        fail("--conversation and --workspace name two places; leave one out", 2)

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.schedules.words import LISTED, row_of
        from antiphon_server.cli.table import print_table

        async with client_for(address, data_dir) as client:
            listed = [it async for it in _listed(client, conversation, workspace)]
        if json:
            for it in listed:
                print_json(as_dict(it))
        elif listed:
            print_table(LISTED, map(row_of, listed), whole=True)
        else:
            say(_NONE, err=True)

    run(work())


def show(
    schedule: Which,
    conversation: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show a schedule: what it says, and the next times at which it is due.

    For example:

    - `antiphon schedules show sched_…`
    - `antiphon schedules show sched_… --conversation conv_…` (somebody else's)
    """

    async def work() -> None:
        from antiphon_server.cli.accounts import Names
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.schedules.words import told

        async with client_for(address, data_dir) as client:
            it = await found(client, schedule, conversation)
            by = it.creator.removeprefix("users/")
            name = "" if json else await Names(client).of(by)
        if json:
            print_json(as_dict(it))
            return
        for key, value in told(it, name or by):
            say(f"{key:<9}  {value}")

    run(work())


def runs(
    schedule: Which,
    conversation: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List what became of the newest 100 due times, and why: started, left out, or failed.

    For example:

    - `antiphon schedules runs sched_…`
    - `antiphon schedules runs sched_… --json`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.schedules.words import RUNS, run_row, zone_of
        from antiphon_server.cli.table import print_table

        async with client_for(address, data_dir) as client:
            it = await found(client, schedule, conversation)
            came = await client.list_schedule_runs(it.conversation_id, schedule)
        if json:
            for each in came:
                print_json(as_dict(each))
        elif came:
            print_table(RUNS, [run_row(each, zone_of(it)) for each in came], whole=True)
        else:
            say("Nothing was due yet.", err=True)

    run(work())


def _listed(client: "Client", conversation: str, workspace: str) -> "AsyncIterator[Schedule]":
    if workspace:
        return client.list_workspace_schedules(workspace)
    return client.list_schedules(conversation) if conversation else client.list_own_schedules()
