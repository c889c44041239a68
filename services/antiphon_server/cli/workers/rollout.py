"""``antiphon workers deployments`` and ``rollout``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.workers.options import Where, asking_for, parent_of

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.worker_service_pb2 import Deployment

_HEADINGS = ("deployment", "version", "new turns", "workers", "turns", "first seen")


def deployments(
    workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List what workers are deployments of: which version begins new turns, which have some still.

    A version without workers and turns is gone, and not listed.

    For example:

    - `antiphon workers deployments`
    - `antiphon workers deployments --workspace ws_… --json`
    """
    run(_show(workspace, json, address, data_dir))


def rollout(
    deployment: Annotated[
        str, typer.Argument(metavar="DEPLOYMENT", help="As `antiphon workers deployments` says.")
    ],
    current: Annotated[
        str, typer.Option("--current", metavar="VERSION", help="It begins new turns.")
    ] = "",
    ramping: Annotated[
        str, typer.Option("--ramping", metavar="VERSION", help="It begins some of them.")
    ] = "",
    percent: Annotated[
        int,
        typer.Option(
            "--percent", min=0, max=100, help="In so many percent of the conversations it does."
        ),
    ] = 0,
    automatic: Annotated[
        bool, typer.Option("--automatic", help="The newest version begins new turns again.")
    ] = False,
    workspace: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say which version of a deployment begins new turns, until it is said otherwise.

    Turns that were begun keep their version while it has workers.

    For example:

    - `antiphon workers rollout reviewer --current 1.4 --ramping 1.5 --percent 10`
    - `antiphon workers rollout reviewer --current 1.5`
    - `antiphon workers rollout reviewer --automatic`
    """
    if automatic == bool(current):
        fail("say either --current VERSION or --automatic", 2)
    if bool(ramping) != bool(percent) or (automatic and ramping):
        fail("--ramping VERSION and --percent N go together, beside --current", 2)

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            with asking_for(workspace):
                made = await client.set_rollout(
                    parent_of(workspace), deployment, current, ramping=ramping, percent=percent
                )
        aside(in_a_line(_said(made)))

    run(work())


async def _show(workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    async with client_for(address, data_dir) as client:
        with asking_for(workspace):
            found = [it async for it in client.list_deployments(parent_of(workspace))]
    if json:
        for it in found:
            print_json(as_dict(it))
        return
    rows = [row for it in found for row in _rows(it)]
    if rows:
        print_table(_HEADINGS, rows, whole=True)
    else:
        say("None is there. `antiphon workers invite HANDLER` lets a worker in.", err=True)


def _rows(deployment: "Deployment") -> list[tuple[str, ...]]:
    from antiphon_server.cli.encoding import local_time

    rows: list[tuple[str, ...]] = [
        (
            *(deployment.deployment, it.version, _share(deployment, it.state)),
            *(str(it.workers), str(it.turns)),
            local_time(it.first_seen_time, "%Y-%m-%d %H:%M"),
        )
        for it in deployment.versions
    ]
    known = {it.version for it in deployment.versions}
    if not deployment.automatic and deployment.current_version not in known:
        named = deployment.deployment, deployment.current_version
        rows.append((*named, "set, but none is there", "0", "0", ""))
    return rows


def _share(deployment: "Deployment", state: int) -> str:
    """Which new turns a version of that state gets."""
    from antiphon.dispatcher.v1.worker_service_pb2 import (
        VERSION_STATE_CURRENT,
        VERSION_STATE_RAMPING,
    )

    percent = deployment.ramping_percent
    if state == VERSION_STATE_CURRENT:
        if deployment.automatic:
            return "all: it is the newest"
        return f"{100 - percent} %" if percent else "all: set"
    return f"{percent} %" if state == VERSION_STATE_RAMPING else "none: draining"


def _said(made: "Deployment") -> str:
    if made.automatic:
        return f"The newest version of {made.deployment} begins new turns."
    ramps = f", {made.ramping_version} {made.ramping_percent} % of them" * bool(
        made.ramping_percent
    )
    return f"{made.current_version} of {made.deployment} begins new turns{ramps}."
