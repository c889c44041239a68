"""A whole mesh on one machine: control plane, Envoy, and servers as processes."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_client.address import open_channel
from antiphon_server.app.browsers import LinkSignIn
from antiphon_server.app.control_plane import Mesh, running_mesh
from antiphon_server.app.edge import LOOPBACK, picked, refuse_client_ca
from antiphon_server.app.inherited import inherited
from antiphon_server.app.local_stores import with_stores
from antiphon_server.app.secret import installation_secret
from antiphon_server.app.serving import serve_mesh_with
from antiphon_server.auth.adapters.server_secret import SECRET_FILE
from antiphon_server.auth.service.local_operator import LABEL
from antiphon_server.mesh.compose import LISTENER
from antiphon_server.mesh.envoy.admin import AdminUnreachable
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.process import with_parent
from antiphon_server.runtime.process.child import Child
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.settings import PREFIX, Settings
from antiphon_server.web.compose import serve_pages

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

START_S = 90.0
LOOK_S = 0.05
FOLDER = "replicas"
_ALL_HERE = (
    "services: `antiphon up --mesh` runs all of them; `antiphon mesh` leads to some elsewhere"
)
# Of no use on one machine, where all ports but the edge's are plain.
_OF_PEERS = ("peer_ca", "peer_cert", "peer_key")

log = logging.getLogger(__name__)

Tell = Callable[[str, str], None]
"""Told of a part what becomes of it: "starting", "serving", or how far it is."""


class DidNotComeUp(Exception):
    """The mesh is not whole in time; the message says what is missing, and where to look."""


@dataclass(frozen=True, slots=True)
class Replicated:
    """A mesh that serves."""

    mesh: Mesh
    replicas: tuple[Child, ...]


async def serve_replicated(
    settings: Settings,
    count: int,
    variables: Mapping[str, str],
    tell: Tell,
    ready: Callable[[Replicated], None],
) -> None:
    """Run it until SIGTERM, SIGINT or SIGHUP; ``ready`` is told once all of it serves.

    ``variables`` are settings for the servers besides the environment's. Raises what
    ``replicated`` raises, and Insecure.
    """
    # The edge is what strangers reach; servers reach each other on this machine.
    exposed = replace(settings, node_address=f"{LOOPBACK}:0")
    await serve_mesh_with(
        settings, exposed, lambda: _serve(settings, count, variables, tell, ready)
    )


async def _serve(
    settings: Settings,
    count: int,
    variables: Mapping[str, str],
    tell: Tell,
    ready: Callable[[Replicated], None],
) -> None:
    async with replicated(settings, count, variables, tell) as found:
        ready(found)
        try:
            await asyncio.Event().wait()
        finally:
            tell("servers", "stopping")


@contextlib.asynccontextmanager
async def replicated(
    settings: Settings, count: int, variables: Mapping[str, str], tell: Tell
) -> AsyncIterator[Replicated]:
    """Run ``count`` servers behind an edge for the time of the block.

    Several share a Postgres and a Redis; where none is named they have their own, on this
    machine. Raises WrongSetting, DidNotComeUp, and what ``with_stores`` and ``running_mesh`` raise.
    """
    async with Lifecycle() as lifecycle:
        settings = _as_mesh(settings)
        if count > 1:
            variables = {**variables, **await with_stores(settings, lifecycle, tell)}
        settings = await _with_pages(settings, lifecycle)
        await asyncio.to_thread(installation_secret, settings)
        tell("control plane", "starting")
        async with running_mesh(settings) as mesh:
            tell("control plane", "serving")
            replicas = _replicas(settings, count, variables, mesh)
            tell("servers", "starting")
            async with Lifecycle() as servers:
                servers.on_stop("servers", lambda: _stop(replicas))
                await asyncio.gather(*(each.start() for each in replicas))
                await _all_there(mesh, replicas, tell)
                for each in replicas:
                    servers.spawn(each.name, each.watch(), vital=False)
                tell("edge", "serving")
                yield Replicated(mesh, replicas)


def _as_mesh(settings: Settings) -> Settings:
    """The edge has the server's address; all else listens on ports that are picked.

    Raises CannotListen, WrongSetting.
    """
    if settings.elsewhere:
        raise WrongSetting(_ALL_HERE)
    refuse_client_ca(settings)
    edge_port = picked(settings.host, settings.port, "--port, 0 for a free one, or --host")
    inside_port = picked(LOOPBACK, 0, "inside_port")
    mesh = replace(
        settings.mesh,
        port=0,
        ads_port=0,
        inside_port=inside_port,
        envoy=True,
        edge_host=settings.host,
        edge_port=edge_port,
    )
    plain: dict[str, None] = dict.fromkeys(_OF_PEERS)
    return replace(settings, port=edge_port, mesh=mesh, **plain)


async def _with_pages(settings: Settings, lifecycle: Lifecycle) -> Settings:
    """Serve the pages, if they are wanted, behind the same edge.

    They sign in on the inside port, which is in clear and on this machine whatever the edge's is.
    """
    if not settings.web:
        return settings
    channel = open_channel(f"{LOOPBACK}:{settings.mesh.inside_port}")
    lifecycle.on_stop("pages' channel", channel.close)
    auth: AuthServiceAsyncStub = AuthServiceStub(channel)
    sign_in = LinkSignIn(auth, settings.data_dir / LABEL) if settings.has_links else None
    port = await serve_pages(lifecycle, sign_in)
    mesh = replace(settings.mesh, pages=f"{LOOPBACK}:{port}")
    return replace(settings, mesh=mesh)


def _replica(name: str, folder: Path, output: Path, environment: Mapping[str, str]) -> Child:
    """`antiphon up` as a process with a folder and an environment of its own."""
    command = with_parent.command(
        *(sys.executable, "-P", "-m", "antiphon_server", "up"),
        *("--host", "127.0.0.1", "--port", "0", "--admin-port", "0"),
        *("--data-dir", str(folder)),
    )
    return Child(name, command, output, environment)


def _replicas(
    settings: Settings, count: int, variables: Mapping[str, str], mesh: Mesh
) -> tuple[Child, ...]:
    environment = inherited({**os.environ, **variables}) | {
        f"{PREFIX}REGISTRY": str(mesh.registry),
        f"{PREFIX}BEHIND_PROXY": "false" if settings.test_users else "true",
    }
    if not settings.has_given_secret:
        environment[f"{PREFIX}SECRET_KEY_FILE"] = str(settings.data_dir / SECRET_FILE)
    base = settings.data_dir
    return tuple(
        _replica(
            f"server {number}",
            base if number == 1 else base / FOLDER / str(number),
            base / "mesh" / f"server-{number}.log",
            environment,
        )
        for number in range(1, count + 1)
    )


async def _all_there(mesh: Mesh, replicas: tuple[Child, ...], tell: Tell) -> None:
    """Wait until all are registered, and the edge takes calls. Raises DidNotComeUp."""
    deadline, known = time.monotonic() + START_S, -1
    while known < len(replicas):
        if time.monotonic() > deadline or any(each.ended for each in replicas):
            raise DidNotComeUp(await asyncio.to_thread(_missing, replicas))
        await asyncio.sleep(LOOK_S)
        nodes = {each.announced.key.node_id for each in mesh.known()}
        if len(nodes) != known:
            known = len(nodes)
            tell("servers", f"{known} of {len(replicas)}")
    tell("edge", "starting")
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            await _listens(mesh)
    except TimeoutError as error:
        raise DidNotComeUp("the edge does not open; the log of Envoy says more") from error


async def _listens(mesh: Mesh) -> None:
    """Wait until Envoy says so: on its address somebody else might answer."""
    while mesh.envoy is not None:
        with contextlib.suppress(AdminUnreachable, LookupError):
            await mesh.envoy.admin.port(LISTENER)
            return
        await asyncio.sleep(LOOK_S)


def _missing(replicas: tuple[Child, ...]) -> str:
    """Who ended, and by which last words."""
    for each in replicas:
        if each.ended:
            said = each.output.read_text(errors="replace").strip().rpartition("\n")[2]
            return f"{each.name} did not come up: {said.removeprefix('antiphon: ')} ({each.output})"
    return "not all servers came up: they take too long"


async def _stop(replicas: tuple[Child, ...]) -> None:
    await asyncio.gather(*(each.stop() for each in replicas))
