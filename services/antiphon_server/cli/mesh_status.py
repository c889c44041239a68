"""``antiphon mesh status``."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from antiphon_server.cli.console import CommandError, print_json, run
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.mesh.v1.instance_pb2 import Instance, Rates
    from antiphon_client import Client

_START = "antiphon up --mesh"
_PATIENCE_S = 3.0
_NO_MESH = (
    "that is one server, behind no mesh: there is nothing to show. Start a mesh with `antiphon up "
    "--mesh`, or lead to servers elsewhere with `antiphon mesh`"
)
_HEADINGS = (
    "service",
    "where",
    "state",
    "since",
    "calls/s",
    "failed/s",
    "running",
    "node",
    "version",
)


def status(json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Show what runs where: whether it is healthy, since when, and what it has to do.

    Figures are the edge's, or the instance's own where they are in brackets. The exit code is 1
    if there is a service that nobody offers.

    For example:

    - `antiphon mesh status`
    - `antiphon mesh status --json | jq -r .service`
    """
    whole = run(_status(json, address, data_dir))
    raise typer.Exit(0 if whole else 1)


def missing(offered: Iterable[str]) -> list[str]:
    """The services of an installation that nobody offers."""
    from antiphon_server.installation import NAMES

    return sorted(set(NAMES).difference(offered))


async def _status(json: bool, address: str, data_dir: DataDir) -> bool:
    from grpc import StatusCode

    from antiphon_client import AntiphonError
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    rows: list[tuple[str, ...]] = []
    offered: set[str] = set()
    async with client_for(address, data_dir, start=_START) as client:
        try:
            async for one in instances(client):
                offered.add(one.service)
                if json:
                    print_json(as_dict(one))
                else:
                    rows.append(_row(one))
        except AntiphonError as error:
            if error.code is not StatusCode.UNIMPLEMENTED:
                raise
            raise CommandError(_NO_MESH) from None
    absent = missing(offered)
    if not json:
        nothing = ("",) * (len(_HEADINGS) - 2)
        print_table(_HEADINGS, sorted(rows + [(name, "nobody", *nothing) for name in absent]))
    return not absent


def instances(client: "Client") -> "AsyncIterator[Instance]":
    """What is registered. Raises AntiphonError, with UNIMPLEMENTED where there is no mesh."""
    from antiphon.mesh.v1 import registry_service_pb2 as pb
    from antiphon.mesh.v1.registry_service_pb2_grpc import RegistryServiceStub
    from antiphon_client.caller import Caller, pages

    # An edge that is just told where its servers are may refuse a call.
    caller = Caller(client.tokens, patience=_PATIENCE_S)
    stub = RegistryServiceStub(client.channel)

    async def fetch(page_token: str) -> pb.ListInstancesResponse:
        request = pb.ListInstancesRequest(page_token=page_token)
        return await caller.call(stub.ListInstances, request)

    return pages(fetch, lambda page: page.instances)


def _row(one: "Instance") -> tuple[str, ...]:
    from antiphon_server.cli.encoding import local_time

    seen = one.HasField("edge")
    rates, running = (
        (one.edge.rates, one.edge.running_rpcs) if seen else (one.rates, one.load.running_rpcs)
    )
    host = f"[{one.host}]" if ":" in one.host else one.host
    figures = _figures(rates, running)
    return (
        one.service,
        f"{host}:{one.port}",
        _state(one),
        local_time(one.register_time, "%H:%M:%S"),
        *(figures if seen else [f"({each})" for each in figures]),
        one.node_id,
        one.version,
    )


def _figures(rates: "Rates", running: int) -> list[str]:
    return [f"{rates.rpcs_per_s:.1f}", f"{rates.failures_per_s:.1f}", str(running)]


def _state(one: "Instance") -> str:
    from antiphon.mesh.v1.instance_pb2 import INSTANCE_STATE_DRAINING

    if one.state == INSTANCE_STATE_DRAINING:
        return "draining"
    if not one.HasField("edge"):
        return "serving"
    return "healthy" if one.edge.healthy else "unhealthy"
