"""What Envoy listens on: what it takes from a client, and by which filters it passes."""

from betterproto2 import Message
from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
from envoy_data_plane.envoy.config.core.v3 import (
    GrpcService,
    GrpcServiceEnvoyGrpc,
    Http2ProtocolOptions,
    HttpProtocolOptions,
    HttpProtocolOptionsHeadersWithUnderscoresAction,
    KeepaliveSettings,
    SubstitutionFormatString,
    TrafficDirection,
    TransportSocket,
    TypedExtensionConfig,
)
from envoy_data_plane.envoy.config.listener.v3 import (
    Filter,
    FilterChain,
    Listener,
    ListenerConnectionBalanceConfig,
    ListenerConnectionBalanceConfigExactBalance,
)
from envoy_data_plane.envoy.config.route.v3 import RouteConfiguration
from envoy_data_plane.envoy.config.trace.v3 import OpenTelemetryConfig, TracingHttp
from envoy_data_plane.envoy.extensions.access_loggers.file.v3 import FileAccessLog
from envoy_data_plane.envoy.extensions.filters.http.cors.v3 import Cors
from envoy_data_plane.envoy.extensions.filters.http.grpc_web.v3 import GrpcWeb
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerCodecType,
    HttpConnectionManagerPathWithEscapedSlashesAction,
    HttpConnectionManagerTracing,
    HttpFilter,
    Rds,
    RequestIdExtension,
)
from envoy_data_plane.envoy.extensions.request_id.uuid.v3 import UuidRequestIdConfig
from envoy_data_plane.envoy.extensions.tracers.opentelemetry.samplers.v3 import (
    ParentBasedSamplerConfig,
    TraceIdRatioBasedSamplerConfig,
)
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    DownstreamTlsContext,
)
from envoy_data_plane.envoy.type.v3 import (
    FractionalPercent,
    FractionalPercentDenominatorType,
    Percent,
)

from antiphon_server.mesh.edge import limits
from antiphon_server.mesh.edge.certificates import TLS, for_clients
from antiphon_server.mesh.edge.clusters import TRACES
from antiphon_server.mesh.edge.guards import guards
from antiphon_server.mesh.edge.replies import replies
from antiphon_server.mesh.edge.routes import CORS, EDGE, INSIDE
from antiphon_server.mesh.edge.terms import (
    ADS,
    packed,
    seconds,
    socket,
    struct,
)
from antiphon_server.mesh.model import Address, Edge, Passage
from antiphon_server.runtime.net.tls import TlsFiles

_PATH = "%PATH(NQ)%"
_BALANCED = ListenerConnectionBalanceConfig(
    exact_balance=ListenerConnectionBalanceConfigExactBalance()
)
"""Connections to threads: of one socket that all accept from, one might take most."""
_FIELDS: dict[str, str | int | float | bool] = {
    "time": "%START_TIME%",
    "rpc": _PATH,
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "grpc_status": "%GRPC_STATUS%",
    "flags": "%RESPONSE_FLAGS%",
    "took_ms": "%DURATION%",
    "received_bytes": "%BYTES_RECEIVED%",
    "sent_bytes": "%BYTES_SENT%",
    "upstream": "%UPSTREAM_HOST%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
"""No field is a header that may hold a secret, and what follows a path's ``?`` is left out."""


def listener(edge: Edge, routes: RouteConfiguration | None) -> Listener:
    """The one port for clients: HTTP/1.1 and HTTP/2, in clear or by TLS.

    Without ``routes`` Envoy asks the control plane for them, and for its certificate.
    """
    chain = _chain(_connections(edge, routes))
    if edge.tls is not None:
        chain.transport_socket = _tls(edge.tls, told=routes is None)
        chain.transport_socket_connect_timeout = seconds(limits.HANDSHAKE_S)
    # What services call through stays open when this one is drained.
    return _listener(EDGE, edge.listen, chain, TrafficDirection.INBOUND)


def inside_listener(
    address: Address, routes: RouteConfiguration | None, passage: Passage
) -> Listener:
    """The port on which services reach each other."""
    connections = HttpConnectionManager(
        stat_prefix=INSIDE,
        codec_type=HttpConnectionManagerCodecType.HTTP2,
        route_config=routes,
        rds=_rds(INSIDE, routes),
        http_filters=[_router()],
        stream_idle_timeout=seconds(passage.stream_idle_s),
        preserve_external_request_id=True,
    )
    return _listener(INSIDE, address, _chain(connections), TrafficDirection.OUTBOUND)


def _listener(
    name: str, address: Address, chain: FilterChain, direction: TrafficDirection
) -> Listener:
    return Listener(
        traffic_direction=direction,
        name=name,
        address=socket(address),
        per_connection_buffer_limit_bytes=limits.BUFFER_BYTES,
        filter_chains=[chain],
        # Else another Envoy could listen there, too, and would get half of the calls.
        enable_reuse_port=False,
        connection_balance_config=_BALANCED,
    )


def _chain(connections: HttpConnectionManager) -> FilterChain:
    return FilterChain(
        filters=[
            Filter(
                name="envoy.filters.network.http_connection_manager",
                typed_config=packed(connections),
            )
        ]
    )


def _rds(name: str, routes: RouteConfiguration | None) -> Rds | None:
    return Rds(config_source=ADS, route_config_name=name) if routes is None else None


def _connections(edge: Edge, routes: RouteConfiguration | None) -> HttpConnectionManager:
    escaped = HttpConnectionManagerPathWithEscapedSlashesAction
    return HttpConnectionManager(
        stat_prefix=EDGE,
        server_name="antiphon",
        route_config=routes,
        rds=_rds(EDGE, routes),
        http_filters=_filters(edge),
        local_reply_config=replies(edge.contracts.names),
        tracing=_tracing(edge),
        request_id_extension=_request_ids(),
        use_remote_address=True,
        xff_num_trusted_hops=edge.trusted_hops,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action=escaped.REJECT_REQUEST,
        preserve_external_request_id=True,  # the server checks it
        common_http_protocol_options=HttpProtocolOptions(
            idle_timeout=seconds(limits.CONNECTION_IDLE_S),
            max_headers_count=limits.HEADERS_COUNT,
            headers_with_underscores_action=(
                HttpProtocolOptionsHeadersWithUnderscoresAction.REJECT_REQUEST
            ),
        ),
        http2_protocol_options=_http2(),
        max_request_headers_kb=limits.HEADERS_KIB,
        request_headers_timeout=seconds(limits.HEADERS_TIMEOUT_S),
        stream_idle_timeout=seconds(edge.passage.stream_idle_s),
        access_log=_access_log(edge),
    )


def _http2() -> Http2ProtocolOptions:
    return Http2ProtocolOptions(
        max_concurrent_streams=limits.STREAMS_PER_CONNECTION,
        initial_stream_window_size=limits.STREAM_WINDOW_BYTES,
        initial_connection_window_size=limits.CONNECTION_WINDOW_BYTES,
        connection_keepalive=KeepaliveSettings(
            interval=seconds(limits.PING_S), timeout=seconds(limits.PING_TIMEOUT_S)
        ),
    )


def _filters(edge: Edge) -> list[HttpFilter]:
    """In the order in which a request passes them."""
    return [
        HttpFilter(name=CORS, typed_config=packed(Cors())),
        HttpFilter(name="envoy.filters.http.grpc_web", typed_config=packed(GrpcWeb())),
        *guards(edge),
        _router(),
    ]


def _router() -> HttpFilter:
    router = Router(suppress_envoy_headers=True)
    return HttpFilter(name="envoy.filters.http.router", typed_config=packed(router))


def _access_log(edge: Edge) -> list[AccessLog]:
    if edge.access_log is None:
        return []
    log = FileAccessLog(
        path=str(edge.access_log),
        log_format=SubstitutionFormatString(json_format=struct(_FIELDS)),
    )
    return [AccessLog(name="envoy.access_loggers.file", typed_config=packed(log))]


def _tracing(edge: Edge) -> HttpConnectionManagerTracing | None:
    """Spans of the calls that somebody traces already, and of one in a hundred others."""
    if edge.traces is None:
        return None
    collector = GrpcService(
        envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=TRACES), timeout=seconds(1)
    )
    some = TraceIdRatioBasedSamplerConfig(sampling_percentage=_percent(limits.TRACED_PERCENT))
    sampler = ParentBasedSamplerConfig(wrapped_sampler=_sampler("trace_id_ratio_based", some))
    spans = OpenTelemetryConfig(
        grpc_service=collector,
        service_name="antiphon-edge",
        sampler=_sampler("parent_based", sampler),
    )
    return HttpConnectionManagerTracing(
        random_sampling=Percent(value=100),  # the sampler decides
        operation=_PATH,
        provider=TracingHttp(name="envoy.tracers.opentelemetry", typed_config=packed(spans)),
    )


def _sampler(name: str, settings: Message) -> TypedExtensionConfig:
    return TypedExtensionConfig(
        name=f"envoy.tracers.opentelemetry.samplers.{name}", typed_config=packed(settings)
    )


def _percent(value: float) -> FractionalPercent:
    million = FractionalPercentDenominatorType.MILLION
    return FractionalPercent(numerator=round(value * 10_000), denominator=million)


def _request_ids() -> RequestIdExtension:
    """Those that clients chose may be any words, so they decide nothing about traces."""
    settings = UuidRequestIdConfig(pack_trace_reason=False, use_request_id_for_trace_sampling=False)
    return RequestIdExtension(typed_config=packed(settings))


def _tls(files: TlsFiles, *, told: bool) -> TransportSocket:
    context = DownstreamTlsContext(common_tls_context=for_clients(files, told=told))
    return TransportSocket(name=TLS, typed_config=packed(context))
