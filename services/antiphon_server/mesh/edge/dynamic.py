"""Configuration that Envoy gets from a control plane: where to ask, and the answers."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from betterproto2 import Message
from envoy_data_plane.envoy.config.bootstrap.v3 import (
    Bootstrap,
    BootstrapDynamicResources,
    BootstrapStaticResources,
)
from envoy_data_plane.envoy.config.core.v3 import (
    ApiConfigSource,
    ApiConfigSourceApiType,
    ApiVersion,
    GrpcService,
    GrpcServiceEnvoyGrpc,
    Node,
)
from envoy_data_plane.envoy.config.listener.v3 import Listener
from envoy_data_plane.google.protobuf import Any

from antiphon_server.mesh.contracts import package
from antiphon_server.mesh.edge.certificates import secrets
from antiphon_server.mesh.edge.clusters import (
    endpoints,
    grpc_cluster,
    service_cluster,
    side_clusters,
)
from antiphon_server.mesh.edge.listener import inside_listener, listener
from antiphon_server.mesh.edge.overload import overload_manager, runtime
from antiphon_server.mesh.edge.routes import inside_routes, route_configuration
from antiphon_server.mesh.edge.terms import ADS, packed
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.mesh.resources import (
    CLUSTERS,
    ENDPOINTS,
    LISTENERS,
    ROUTES,
    SECRETS,
    Resources,
    Snapshot,
)
from antiphon_server.runtime.net.tls import Pem

CONTROL_PLANE = "control-plane"


def bootstrap(node_id: str, control_plane: Address) -> Bootstrap:
    """Envoy's bootstrap: all else it asks of the control plane (ADS)."""
    ads = ApiConfigSource(
        api_type=ApiConfigSourceApiType.GRPC,
        transport_api_version=ApiVersion.V3,
        set_node_on_first_message_only=True,
        grpc_services=[GrpcService(envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=CONTROL_PLANE))],
    )
    return Bootstrap(
        node=Node(id=node_id, cluster="edge"),
        dynamic_resources=BootstrapDynamicResources(lds_config=ADS, cds_config=ADS, ads_config=ads),
        static_resources=BootstrapStaticResources(
            clusters=[grpc_cluster(CONTROL_PLANE, [control_plane])]
        ),
        overload_manager=overload_manager(),
        layered_runtime=runtime(),
    )


class Configuration:
    """What every Envoy is told; after the start services move, and certificates are renewed."""

    def __init__(self, edge: Edge, shown: Mapping[str, Pem]) -> None:
        self._edge = edge
        self._services = edge.contracts.names
        self.show(shown)
        clusters = [service_cluster(edge, name) for name in self._services]
        clusters += side_clusters(edge)
        self._closed = _resources(LISTENERS, ((each.name, each) for each in _inside(edge)))
        self._open = _resources(
            LISTENERS, ((each.name, each) for each in [listener(edge, None), *_inside(edge)])
        )
        self._fixed = [
            _resources(CLUSTERS, ((cluster.name, cluster) for cluster in clusters)),
            _resources(
                ROUTES,
                (
                    (each.name, each)
                    for each in (route_configuration(edge, package), inside_routes(edge, package))
                ),
            ),
        ]

    def show(self, shown: Mapping[str, Pem]) -> None:
        """From now on these certificates are told."""
        told = ((each.name, each) for each in secrets(self._edge, shown))
        self._secrets = _resources(SECRETS, told)

    def snapshot(
        self, addresses: Mapping[str, Sequence[Address]], *, is_open: bool = True
    ) -> Snapshot:
        """All of it, with services at those addresses; the edge listens if it ``is_open``."""
        where = [(name, endpoints(name, addresses.get(name, ()))) for name in self._services]
        listeners = self._open if is_open else self._closed
        kinds = [*self._fixed, self._secrets, listeners, _resources(ENDPOINTS, where)]
        return {kind.type_url: kind for kind in kinds}


def _inside(edge: Edge) -> list[Listener]:
    return [inside_listener(edge.inside, None, edge.passage)] if edge.inside is not None else []


def _resources(type_url: str, named: Iterable[tuple[str, Message]]) -> Resources:
    """Resources of one type; the version is of what they are, so it is the same after a restart."""
    found = {name: packed(message) for name, message in named}
    content = blake2b(digest_size=8)
    for each in found.values():
        content.update(each.value)
    return Resources(type_url, content.hexdigest(), {n: _encoded(a) for n, a in found.items()})


def _encoded(message: Any) -> bytes:
    return bytes(message)
