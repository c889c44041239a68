"""Whom Envoy calls."""

from collections.abc import Sequence

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    CircuitBreakersThresholdsRetryBudget,
    Cluster,
    ClusterDiscoveryType,
    ClusterDnsLookupFamily,
    ClusterEdsClusterConfig,
    ClusterLbPolicy,
    OutlierDetection,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HealthCheck,
    HealthCheckGrpcHealthCheck,
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    KeepaliveSettings,
    TransportSocket,
)
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    UpstreamTlsContext,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions,
    HttpProtocolOptionsExplicitHttpConfig,
)
from envoy_data_plane.envoy.type.v3 import Percent

from antiphon_server.mesh.edge import limits
from antiphon_server.mesh.edge.certificates import TLS, for_peers
from antiphon_server.mesh.edge.terms import ADS, packed, seconds, socket
from antiphon_server.mesh.model import Address, Edge, Passage
from antiphon_server.runtime.net.tls import TlsFiles
from antiphon_server.runtime.rpc.health import OVERALL

PAGES = "pages"
KEYS = "keys"
TRACES = "traces"
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def grpc_cluster(
    name: str, addresses: Sequence[Address], requests: int = Passage().requests
) -> Cluster:
    """A gRPC server at addresses that are known beforehand; nobody checks whether it is there."""
    cluster = _cluster(name, _http2(), requests)
    _at(cluster, addresses)
    return cluster


def http_cluster(name: str, address: Address) -> Cluster:
    """An HTTP/1.1 server."""
    protocol = HttpProtocolOptionsExplicitHttpConfig(http_protocol_options=Http1ProtocolOptions())
    cluster = _cluster(name, protocol)
    _at(cluster, [address])
    return cluster


def side_clusters(edge: Edge) -> list[Cluster]:
    """What this edge needs that is no service: pages, keys, a collector of traces."""
    return [
        *([http_cluster(PAGES, edge.pages)] if edge.pages else []),
        *([http_cluster(KEYS, edge.keys)] if edge.keys else []),
        *([grpc_cluster(TRACES, [edge.traces])] if edge.traces else []),
    ]


def service_cluster(
    edge: Edge, service: str, addresses: Sequence[Address] | None = None
) -> Cluster:
    """A service of the installation, at several nodes: which, Envoy is told by and by (EDS).

    With ``addresses`` they stand in the cluster itself. Where the edge has ``peers`` both sides
    show a certificate of the installation's authority.
    """
    cluster = _cluster(service, _http2(), edge.passage.requests)
    if edge.peers is not None:
        cluster.transport_socket = _tls(edge.peers, told=addresses is None)
    if addresses is None:
        cluster.type = ClusterDiscoveryType.EDS
        cluster.eds_cluster_config = ClusterEdsClusterConfig(eds_config=ADS)
    else:
        _at(cluster, addresses)
    cluster.lb_policy = ClusterLbPolicy.LEAST_REQUEST
    cluster.health_checks = [_health_check()]
    cluster.outlier_detection = _outliers()
    # What the registry takes away is away; calls that it has in hand may end.
    cluster.ignore_health_on_host_removal = True
    return cluster


def endpoints(name: str, addresses: Sequence[Address]) -> ClusterLoadAssignment:
    """Where a cluster is."""
    found = [LbEndpoint(endpoint=Endpoint(address=socket(each))) for each in addresses]
    return ClusterLoadAssignment(
        cluster_name=name, endpoints=[LocalityLbEndpoints(lb_endpoints=found)] if found else []
    )


def _at(cluster: Cluster, addresses: Sequence[Address]) -> None:
    cluster.type = ClusterDiscoveryType.STRICT_DNS  # an IP address resolves to itself
    cluster.dns_lookup_family = ClusterDnsLookupFamily.ALL
    cluster.load_assignment = endpoints(cluster.name, addresses)


def _cluster(
    name: str,
    protocol: HttpProtocolOptionsExplicitHttpConfig,
    requests: int = Passage().requests,
) -> Cluster:
    return Cluster(
        name=name,
        connect_timeout=seconds(limits.CONNECT_S),
        per_connection_buffer_limit_bytes=limits.BUFFER_BYTES,
        typed_extension_protocol_options={
            _HTTP: packed(HttpProtocolOptions(explicit_http_config=protocol))
        },
        circuit_breakers=CircuitBreakers(thresholds=[_most(requests)]),
    )


def _http2() -> HttpProtocolOptionsExplicitHttpConfig:
    return HttpProtocolOptionsExplicitHttpConfig(
        http2_protocol_options=Http2ProtocolOptions(
            initial_stream_window_size=limits.STREAM_WINDOW_BYTES,
            initial_connection_window_size=limits.CONNECTION_WINDOW_BYTES,
            connection_keepalive=KeepaliveSettings(
                interval=seconds(limits.PING_S), timeout=seconds(limits.PING_TIMEOUT_S)
            ),
        )
    )


def _tls(files: TlsFiles, *, told: bool) -> TransportSocket:
    """Nodes are known by their authority, which has certified nobody else: they move about."""
    context = UpstreamTlsContext(common_tls_context=for_peers(files, told=told))
    return TransportSocket(name=TLS, typed_config=packed(context))


def _most(requests: int) -> CircuitBreakersThresholds:
    """What may be under way to all endpoints of a cluster together."""
    return CircuitBreakersThresholds(
        max_connections=limits.CONNECTIONS,
        max_pending_requests=requests,
        max_requests=requests,
        retry_budget=CircuitBreakersThresholdsRetryBudget(
            budget_percent=Percent(value=limits.RETRIES_PERCENT),
            min_retry_concurrency=limits.RETRIES_ANYWAY,
        ),
    )


def _health_check() -> HealthCheck:
    """Finds out who can't do what it is called for; the first check is at once.

    A node whose store is away is asked again when it is back. If it is so for more than half of
    them, they are called all the same: they say why.
    """
    return HealthCheck(
        timeout=seconds(limits.CHECK_TIMEOUT_S),
        interval=seconds(limits.CHECK_S),
        no_traffic_interval=seconds(limits.CHECK_S),
        unhealthy_threshold=2,
        healthy_threshold=1,
        grpc_health_check=HealthCheckGrpcHealthCheck(service_name=OVERALL),
    )


def _outliers() -> OutlierDetection:
    """Who can't be reached is left out for a while.

    Answers count for nothing: what a server can't do, such as to reach a model, callers
    could make it say again and again until nobody was left.
    """
    return OutlierDetection(
        split_external_local_origin_errors=True,
        consecutive_local_origin_failure=limits.FAILURES,
        enforcing_consecutive_local_origin_failure=100,
        enforcing_local_origin_success_rate=0,
        enforcing_consecutive_5xx=0,
        enforcing_consecutive_gateway_failure=0,
        enforcing_success_rate=0,
        interval=seconds(limits.CHECK_S),
        base_ejection_time=seconds(limits.EJECTED_S),
        max_ejection_time=seconds(limits.EJECTED_LONGEST_S),
        max_ejection_percent=50,
    )
