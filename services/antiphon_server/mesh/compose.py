"""Parts of the mesh, put together."""

from dataclasses import replace
from pathlib import Path

from antiphon_server.mesh.envoy.process import Envoy
from antiphon_server.mesh.model import Address, Edge

LISTENER = "edge"


def edge_before(server: Address, edge: Edge, log_file: Path) -> Envoy:
    """Envoy before one server that has all services; nothing runs yet.

    ``await edge_before(...).serve(lifecycle)`` starts it and says on which port.
    """

    def configuration(port: int) -> str:
        from antiphon_server.mesh.edge.static import single_server

        listen = Address(edge.listen.host, port)
        return single_server(replace(edge, listen=listen), server)

    return Envoy(configuration, LISTENER, edge.listen.port, log_file)
