"""Parts of the mesh, put together. Envoy's types are imported on other threads: it takes long."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.mesh.envoy.process import Envoy
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.runtime.concurrency.imports import imported

if TYPE_CHECKING:
    from antiphon_server.mesh.control_plane import ControlPlane
    from antiphon_server.mesh.registry import Registry
    from antiphon_server.mesh.xds.service import Discovery

LISTENER = "edge"


def edge_before(server: Address, edge: Edge, log_file: Path) -> Envoy:
    """An Envoy in front of one server that has all services; not started yet.

    ``await edge_before(...).serve(lifecycle)`` starts it and returns its port.
    """

    def configuration(port: int) -> bytes:
        from antiphon_server.mesh.edge.static import single_server

        listen = Address(edge.listen.host, port)
        return single_server(replace(edge, listen=listen), server)

    return Envoy(configuration, LISTENER, edge.listen.port, log_file)


async def discovery(
    registry: "Registry", edge: Edge, own: Address
) -> "tuple[ControlPlane, Discovery]":
    """What tells Envoys of the registry, and the handler that serves them.

    ``own`` is where the registry is served. An edge that checks tokens is closed as long as
    nobody knows the keys. Raises UnusableCertificate.
    """
    for module in ("control_plane", "xds.service"):
        await imported(f"antiphon_server.mesh.{module}")
    from antiphon_server.mesh.control_plane import ControlPlane
    from antiphon_server.mesh.xds.service import Discovery, Source

    source = Source()
    control_plane = ControlPlane(registry, edge, own, source, is_open=edge.keys is None)
    return control_plane, Discovery(source)


def edge_of_mesh(ads: Address, edge: Edge, log_file: Path) -> Envoy:
    """Envoy that asks a control plane, which tells it where to listen; nothing runs yet."""

    def configuration(_port: int) -> bytes:
        from antiphon_server.mesh.edge.dynamic import bootstrap

        return bytes(bootstrap("edge", ads))

    return Envoy(configuration, None, edge.listen.port, log_file)
