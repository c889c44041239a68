"""``antiphon connections allow``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of


def allow(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(metavar="HOST…", help="More hosts; `*.example` is all below one."),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Allow again all that the operator allows.")
    ] = False,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say which hosts a workspace's connections may call, or list them; to say is for admins.

    The first host that is allowed forbids all others. With `--clear` the list begins anew with the
    hosts that are given.

    For example:

    - `antiphon connections allow`
    - `antiphon connections allow wiki.example '*.tools.example'`
    - `antiphon connections allow --clear`
    """
    wanted = list(hosts or ())
    run_at(address, data_dir, lambda at: _allow(wanted, clear, workspace, json, at, data_dir))


async def _allow(
    hosts: list[str], clear: bool, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon.integration.v1.connection_pb2 import EgressRules
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.connections.cut_off import cut_off
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        rules = await client.get_egress_rules(where)
        if hosts or clear:
            kept = () if clear else rules.hosts
            wanted = EgressRules(hosts=sorted({*kept, *hosts}), etag=rules.etag)
            rules = await client.set_egress_rules(where, wanted)
        lost = await cut_off(client, where, rules.hosts)
    if json:
        print_json(as_dict(rules))
    elif rules.hosts:
        aside("Connections of the workspace may call these alone:")
        say("\n".join(map(in_a_line, rules.hosts)))
    else:
        say("Connections may call all hosts that the server's operator allows.", err=True)
    if lost:
        aside(f"Cut off by that: {', '.join(map(in_a_line, lost))}.")
