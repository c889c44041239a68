"""A whole configuration that stands in one file: for one server, without a control plane."""

from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap, BootstrapStaticResources
from envoy_data_plane.envoy.config.cluster.v3 import Cluster

from antiphon_server.mesh.edge.clusters import grpc_cluster, pages_cluster
from antiphon_server.mesh.edge.listener import listener
from antiphon_server.mesh.edge.overload import overload_manager, runtime
from antiphon_server.mesh.edge.routes import route_configuration
from antiphon_server.mesh.model import Address, Edge

SERVER = "server"


def single_server(edge: Edge, server: Address) -> str:
    """Envoy's bootstrap, as JSON, where one server has all services."""
    routes = route_configuration(edge, lambda _service: SERVER)
    clusters = [grpc_cluster(SERVER, [server]), *_pages(edge)]
    bootstrap = Bootstrap(
        static_resources=BootstrapStaticResources(
            listeners=[listener(edge, routes)], clusters=clusters
        ),
        overload_manager=overload_manager(),
        layered_runtime=runtime(),
    )
    return bootstrap.to_json(indent=2)


def _pages(edge: Edge) -> list[Cluster]:
    return [pages_cluster(edge.pages)] if edge.pages is not None else []
