"""Whom Envoy calls."""

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    Cluster,
    ClusterDiscoveryType,
    ClusterDnsLookupFamily,
)
from envoy_data_plane.envoy.config.core.v3 import (
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    KeepaliveSettings,
)
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions,
    HttpProtocolOptionsExplicitHttpConfig,
)

from antiphon_server.mesh.edge import limits
from antiphon_server.mesh.edge.terms import packed, seconds, socket
from antiphon_server.mesh.model import Address

PAGES = "pages"
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def grpc_cluster(name: str, addresses: list[Address]) -> Cluster:
    """A service at addresses that are known beforehand."""
    return _cluster(
        name,
        addresses,
        HttpProtocolOptionsExplicitHttpConfig(
            http2_protocol_options=Http2ProtocolOptions(
                initial_stream_window_size=limits.STREAM_WINDOW_BYTES,
                initial_connection_window_size=limits.CONNECTION_WINDOW_BYTES,
                connection_keepalive=KeepaliveSettings(
                    interval=seconds(limits.PING_S), timeout=seconds(limits.PING_TIMEOUT_S)
                ),
            )
        ),
    )


def pages_cluster(address: Address) -> Cluster:
    """The server of static pages."""
    http1 = HttpProtocolOptionsExplicitHttpConfig(http_protocol_options=Http1ProtocolOptions())
    return _cluster(PAGES, [address], http1)


def _cluster(
    name: str, addresses: list[Address], protocol: HttpProtocolOptionsExplicitHttpConfig
) -> Cluster:
    return Cluster(
        name=name,
        type=ClusterDiscoveryType.STRICT_DNS,  # an IP address resolves to itself
        dns_lookup_family=ClusterDnsLookupFamily.ALL,
        connect_timeout=seconds(limits.CONNECT_S),
        per_connection_buffer_limit_bytes=limits.BUFFER_BYTES,
        typed_extension_protocol_options={
            _HTTP: packed(HttpProtocolOptions(explicit_http_config=protocol))
        },
        circuit_breakers=CircuitBreakers(thresholds=[_most()]),
        load_assignment=ClusterLoadAssignment(
            cluster_name=name,
            endpoints=[LocalityLbEndpoints(lb_endpoints=list(map(_endpoint, addresses)))],
        ),
    )


def _most() -> CircuitBreakersThresholds:
    """What may be under way to all endpoints of a cluster together."""
    return CircuitBreakersThresholds(
        max_connections=limits.CONNECTIONS,
        max_pending_requests=limits.REQUESTS,
        max_requests=limits.REQUESTS,
    )


def _endpoint(address: Address) -> LbEndpoint:
    return LbEndpoint(endpoint=Endpoint(address=socket(address)))
