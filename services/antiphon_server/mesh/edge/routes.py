"""Which call goes where, and how long it may take."""

from collections.abc import Callable, Iterable

from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
)
from envoy_data_plane.envoy.config.route.v3 import (
    DirectResponseAction,
    HeaderMatcher,
    RetryPolicy,
    RetryPolicyRetryHostPredicate,
    Route,
    RouteAction,
    RouteActionMaxStreamDuration,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.filters.http.cors.v3 import CorsPolicy
from envoy_data_plane.envoy.extensions.retry.host.previous_hosts.v3 import (
    PreviousHostsPredicate,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

from antiphon_server.mesh.contracts import Contracts, Rpc
from antiphon_server.mesh.edge import limits
from antiphon_server.mesh.edge.clusters import PAGES
from antiphon_server.mesh.edge.terms import packed, seconds
from antiphon_server.mesh.model import Edge, Passage
from antiphon_server.runtime.net.addresses import FORWARDED
from antiphon_server.runtime.rpc.peers import SERVICE_HEADER

EDGE, INSIDE = "edge", "inside"
"""The configurations of routes: of the edge, and of the port for services alone."""
CORS = "envoy.filters.http.cors"
HEALTH = "/grpc.health.v1.Health/"
REFLECTION = "/grpc.reflection."
ClusterOf = Callable[[str], str]
"""The name of the cluster of a service, which is given by its full name."""

# What a browser may send beside what it always may, and what a page may see of an answer.
_ALLOWED_HEADERS = (
    "authorization,content-type,grpc-timeout,traceparent,x-grpc-web,x-request-id,x-user-agent"
)
_EXPOSED_HEADERS = "grpc-message,grpc-status,grpc-status-details-bin,x-request-id"
_PREFLIGHT_S = 7200  # the longest that a browser keeps the answer
# When no server has seen a call, and when one has, and said that it can't now.
_UNSEEN = "connect-failure,refused-stream,reset-before-request"
_UNAVAILABLE = "unavailable,reset"
# A tool may be silent as long as its call may take, which an operator sets, and as long as people
# think about what it asks: its caller's deadline ends it.
_SILENT = {"/antiphon.integration.v1.ToolService/AttendTool"}
_OTHER_HOST = "envoy.retry_host_predicates.previous_hosts"
# A server resets what lacks this, as if it were away. Envoy can hand trailers on for everybody.
_TRAILERS = HeaderValueOption(
    header=HeaderValue(key="te", value="trailers"),
    append_action=HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
)
_FORBIDDEN, _NOT_FOUND = 403, 404  # PERMISSION_DENIED and UNIMPLEMENTED to a gRPC client
_UNSUPPORTED_TYPE = 415
_CALLED = ("/antiphon.", HEALTH, REFLECTION)


def route_configuration(edge: Edge, cluster_of: ClusterOf) -> RouteConfiguration:
    """Every RPC of the contracts to its service, health, and all else to the pages."""
    passage, contracts = edge.passage, edge.contracts
    routes = [
        *_no_calls(cluster_of(HEALTH)),
        *_internal(contracts),
        *_streams(passage, cluster_of, (rpc for rpc in contracts.rpcs if not rpc.internal)),
        *_others(cluster_of, contracts),
        _stream(passage, RouteMatch(path=f"{HEALTH}Watch"), cluster_of(HEALTH), idle_s=0),
        _unary(RouteMatch(prefix=HEALTH), cluster_of(HEALTH)),
        *_reflection(edge, cluster_of),
        _pages(edge),
    ]
    host = VirtualHost(
        name=EDGE,
        domains=["*"],
        routes=routes,
        typed_per_filter_config={CORS: packed(_cors(edge))},
    )
    return RouteConfiguration(name=EDGE, virtual_hosts=[host])


def inside_routes(edge: Edge, cluster_of: ClusterOf) -> RouteConfiguration:
    """Every RPC of the contracts, those too that only services call."""
    passage, contracts = edge.passage, edge.contracts
    routes = [
        *_streams(passage, cluster_of, contracts.rpcs),
        *_others(cluster_of, contracts),
        *(_health_of(passage, each) for each in contracts.names),
        _nothing(RouteMatch(prefix="/")),
    ]
    host = VirtualHost(
        name=INSIDE, domains=["*"], routes=routes, request_headers_to_add=[_caller()]
    )
    return RouteConfiguration(name=INSIDE, virtual_hosts=[host])


def _caller() -> HeaderValueOption:
    """Who calls for itself says nothing of where it is; who passes a call on has said it."""
    return HeaderValueOption(
        header=HeaderValue(key=FORWARDED, value="%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
        append_action=HeaderValueOptionHeaderAppendAction.ADD_IF_ABSENT,
    )


def _health_of(passage: Passage, service: str) -> Route:
    """Health is every server's: a header says whose is meant."""
    asked = HeaderMatcher(name=SERVICE_HEADER, string_match=StringMatcher(exact=service))
    return _stream(passage, RouteMatch(prefix=HEALTH, headers=[asked]), service, idle_s=0)


def _no_calls(cluster: str) -> list[Route]:
    """What is no call: a server would reset it, as if it were away.

    A page that asks its browser nothing before can't say that its content is gRPC's.
    """
    return [
        route
        for prefix in _CALLED
        for route in (_question(prefix, cluster), _not_posted(prefix), _not_grpc(prefix))
    ]


def _question(prefix: str, cluster: str) -> Route:
    """Whether a page may call: the filter for that answers it before it gets anywhere."""
    asked = [
        HeaderMatcher(name=":method", string_match=StringMatcher(exact="OPTIONS")),
        HeaderMatcher(name="origin", present_match=True),
        HeaderMatcher(name="access-control-request-method", present_match=True),
    ]
    return Route(match=RouteMatch(prefix=prefix, headers=asked), route=RouteAction(cluster=cluster))


def _not_posted(prefix: str) -> Route:
    posted = HeaderMatcher(
        name=":method", string_match=StringMatcher(exact="POST"), invert_match=True
    )
    return _nothing(RouteMatch(prefix=prefix, headers=[posted]))


def _not_grpc(prefix: str) -> Route:
    grpc = HeaderMatcher(
        name="content-type",
        string_match=StringMatcher(prefix="application/grpc"),
        invert_match=True,
        treat_missing_header_as_empty=True,
    )
    match = RouteMatch(prefix=prefix, headers=[grpc])
    return Route(match=match, direct_response=DirectResponseAction(status=_UNSUPPORTED_TYPE))


def _internal(contracts: Contracts) -> list[Route]:
    """What only services call never gets past the edge, whoever asks."""
    return [_refused(rpc.path, _FORBIDDEN) for rpc in contracts.rpcs if rpc.internal]


def _streams(passage: Passage, cluster_of: ClusterOf, among: Iterable[Rpc]) -> list[Route]:
    return [
        _stream(
            passage,
            RouteMatch(path=rpc.path),
            cluster_of(rpc.service),
            idle_s=0 if rpc.path in _SILENT else None,
        )
        for rpc in among
        if rpc.streams
    ]


def _reflection(edge: Edge, cluster_of: ClusterOf) -> list[Route]:
    if not edge.reflects:
        return []
    return [_stream(edge.passage, RouteMatch(prefix=REFLECTION), cluster_of(REFLECTION))]


def _stream(
    passage: Passage, match: RouteMatch, cluster: str, idle_s: float | None = None
) -> Route:
    """No timeout, but an end when nothing moves for ``idle_s`` (0 is for ever), and one at last."""
    return Route(
        match=match,
        request_headers_to_add=[_TRAILERS],
        route=RouteAction(
            cluster=cluster,
            timeout=seconds(0),
            retry_policy=_again(_UNSEEN),
            idle_timeout=seconds(passage.stream_idle_s if idle_s is None else idle_s),
            max_stream_duration=RouteActionMaxStreamDuration(
                max_stream_duration=seconds(passage.stream_longest_s),
                grpc_timeout_header_max=seconds(passage.stream_longest_s),
            ),
        ),
    )


def _others(cluster_of: ClusterOf, contracts: Contracts) -> list[Route]:
    """What may be sent twice, by the contracts; then all that streams nothing."""
    again = [
        _unary(RouteMatch(path=rpc.path), cluster_of(rpc.service), f"{_UNSEEN},{_UNAVAILABLE}")
        for rpc in contracts.rpcs
        if rpc.repeatable
    ]
    once = [_unary(RouteMatch(prefix=f"/{it}/"), cluster_of(it)) for it in contracts.services]
    return [*again, *once]


def _unary(match: RouteMatch, cluster: str, again_on: str = _UNSEEN) -> Route:
    """As long as the client waits, and no longer than any call may take."""
    return Route(
        match=match,
        request_headers_to_add=[_TRAILERS],
        route=RouteAction(
            cluster=cluster,
            timeout=seconds(limits.UNARY_S),
            retry_policy=_again(again_on),
            max_stream_duration=RouteActionMaxStreamDuration(
                max_stream_duration=seconds(limits.UNARY_S),
                grpc_timeout_header_max=seconds(limits.UNARY_S),
            ),
        ),
    )


def _again(conditions: str) -> RetryPolicy:
    """Try another host."""
    previous = RetryPolicyRetryHostPredicate(
        name=_OTHER_HOST, typed_config=packed(PreviousHostsPredicate())
    )
    return RetryPolicy(
        retry_on=conditions,
        num_retries=limits.RETRIES,
        retry_host_predicate=[previous],
        host_selection_retry_max_attempts=3,
    )


def _refused(path: str, status: int) -> Route:
    return Route(match=RouteMatch(path=path), direct_response=DirectResponseAction(status=status))


def _pages(edge: Edge) -> Route:
    match = RouteMatch(prefix="/")
    if edge.pages is None:
        return _nothing(match)
    return Route(match=match, route=RouteAction(cluster=PAGES, timeout=seconds(limits.UNARY_S)))


def _nothing(match: RouteMatch) -> Route:
    return Route(match=match, direct_response=DirectResponseAction(status=_NOT_FOUND))


def _cors(edge: Edge) -> CorsPolicy:
    """Tokens are sent by the page, not by the browser: no credentials of its own."""
    return CorsPolicy(
        allow_origin_string_match=[StringMatcher(exact=origin) for origin in edge.origins],
        allow_methods="POST",
        allow_headers=_ALLOWED_HEADERS,
        expose_headers=_EXPOSED_HEADERS,
        max_age=str(_PREFLIGHT_S),
        allow_credentials=False,
        forward_not_matching_preflights=False,
    )
