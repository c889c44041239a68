"""``antiphon mesh``: the control plane, and what is known of the mesh."""

import contextlib
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon_server.cli.announcing import announce
from antiphon_server.cli.console import fail, say
from antiphon_server.cli.mesh_status import status
from antiphon_server.cli.options import DataDir
from antiphon_server.cli.server_file import ServerFile
from antiphon_server.cli.start import start
from antiphon_server.cli.up_mesh import in_a_browser, write_where

if TYPE_CHECKING:
    from antiphon_server.app.control_plane import Mesh
    from antiphon_server.settings import Settings

app = typer.Typer()
app.command()(status)


@app.callback(invoke_without_command=True)
def mesh(
    context: typer.Context,
    data_dir: DataDir = None,
    web: Annotated[
        bool | None, typer.Option("--web", help="Serve the pages for browsers at the edge.")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error. [default: info]")
    ] = None,
) -> None:
    """Lead calls to services that run at several places.

    Without a command it runs the registry, the control plane of Envoys, and one Envoy at the edge.
    Servers register themselves that have ANTIPHON_REGISTRY=host:port, and the same secret.
    ANTIPHON_MESH says where things listen and what the edge lets through, e.g.
    {"edge_host": "0.0.0.0", "edge_port": 443, "origins": ["https://chat.example"]}.

    For example:

    - `antiphon mesh --web`
    - `ANTIPHON_REGISTRY=127.0.0.1:7470 antiphon up --port 0`
    - `antiphon mesh status`
    """
    if context.invoked_subcommand is None:
        given = {"data_dir": data_dir, "web": web, "log_level": log_level}
        start({key: value for key, value in given.items() if value is not None}, _work)


@contextlib.contextmanager
def _work(settings: "Settings") -> Iterator[Coroutine[Any, Any, None]]:
    from antiphon_server.app.control_plane import serve_mesh

    file = ServerFile(settings.data_dir)

    edges: list[Mesh] = []

    def ready(mesh: "Mesh") -> None:
        page = ""
        if mesh.envoy is not None:
            edges.append(mesh)
            _, page = write_where(settings, mesh.edge, file)
        for line in _where(mesh):
            announce(line, settings)
        if page:
            announce(in_a_browser(settings, page), settings)

    try:
        yield serve_mesh(settings, ready)
    finally:
        file.withdraw()
        if edges:
            with contextlib.suppress(OSError):
                announce("The edge has stopped. Servers run on, without it.", settings)


def _where(mesh: "Mesh") -> Iterator[str]:
    yield f"The registry serves on {mesh.registry}."
    if mesh.envoy is not None:
        yield f"Clients call {mesh.edge}; see `antiphon mesh status`."
    else:
        yield f"Envoys are told by {mesh.ads} (ADS)."


@app.command()
def render(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")
    ] = None,
    ads: Annotated[
        bool, typer.Option("--ads", help="Of an Envoy that asks the control plane.")
    ] = False,
) -> None:
    """Print Envoy's configuration as one file, for an Envoy without a control plane.

    Services are where ANTIPHON_PEERS says. With --ads it is what an Envoy of yours starts with
    that asks `antiphon mesh` on the same machine for all else.

    For example:

    - `antiphon mesh render > envoy.json && envoy --mode validate -c envoy.json`
    - `antiphon mesh render --ads > envoy.json`
    """
    from antiphon_server.app.edge import rendered, rendered_bootstrap
    from antiphon_server.runtime.configuration import WrongSetting
    from antiphon_server.settings import read_settings

    try:
        settings = read_settings()
        text = rendered_bootstrap(settings) if ads else rendered(settings)
    except WrongSetting as error:
        fail(str(error), 2)
    if settings.mesh.check_tokens and not ads:
        say('Tokens are left to servers: "check_tokens" is for a control plane.', err=True)
    if settings.tls or settings.peer_tls:
        say(
            "Certificates are read when that Envoy starts: renewed ones, at its next start.",
            err=True,
        )
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n")
