"""A whole configuration that stands in one file, without a control plane."""

from collections.abc import Mapping, Sequence

from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap, BootstrapStaticResources
from envoy_data_plane.envoy.config.cluster.v3 import Cluster
from envoy_data_plane.envoy.config.listener.v3 import Listener

from antiphon_server.mesh.contracts import package
from antiphon_server.mesh.edge.clusters import grpc_cluster, service_cluster, side_clusters
from antiphon_server.mesh.edge.listener import inside_listener, listener
from antiphon_server.mesh.edge.overload import overload_manager, runtime
from antiphon_server.mesh.edge.routes import inside_routes, route_configuration
from antiphon_server.mesh.model import Address, Edge

SERVER = "server"


def single_server(edge: Edge, server: Address) -> bytes:
    """Envoy's bootstrap, as Protobuf, where one server has all services."""
    routes = route_configuration(edge, lambda _service: SERVER)
    whole = _bootstrap(
        BootstrapStaticResources(
            listeners=[listener(edge, routes)],
            clusters=[
                grpc_cluster(SERVER, [server], edge.passage.requests),
                *side_clusters(edge),
            ],
        )
    )
    return bytes(whole)


def services_at(edge: Edge, addresses: Mapping[str, Sequence[Address]]) -> str:
    """Envoy's bootstrap, as JSON, where each service has its own addresses."""
    whole = _bootstrap(
        BootstrapStaticResources(
            listeners=[listener(edge, route_configuration(edge, package)), *_inside(edge)],
            clusters=[*_services(edge, addresses), *side_clusters(edge)],
        )
    )
    # What Protobuf calls enforcingConsecutive5xx, betterproto2 0.9 writes with a capital X.
    return whole.to_json(indent=2).replace('5Xx":', '5xx":')


def _services(edge: Edge, addresses: Mapping[str, Sequence[Address]]) -> list[Cluster]:
    return [service_cluster(edge, name, where) for name, where in addresses.items()]


def _inside(edge: Edge) -> list[Listener]:
    if edge.inside is None:
        return []
    return [inside_listener(edge.inside, inside_routes(edge, package), edge.passage)]


def _bootstrap(resources: BootstrapStaticResources) -> Bootstrap:
    return Bootstrap(
        static_resources=resources,
        overload_manager=overload_manager(),
        layered_runtime=runtime(),
    )
