"""What Envoy says itself, in the words of the contract: one ErrorInfo, as servers say it."""

from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import quote

from envoy_data_plane.envoy.config.accesslog.v3 import (
    AccessLogFilter,
    AndFilter,
    ComparisonFilter,
    ComparisonFilterOp,
    HeaderFilter,
    StatusCodeFilter,
)
from envoy_data_plane.envoy.config.core.v3 import (
    DataSource,
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
    RuntimeUInt32,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from google.rpc import status_pb2

from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from antiphon_server.runtime.errors.wire import status_of

_GRPC_WEB = "application/grpc-web+proto"
_TRAILERS = 0x80
_REASONS: dict[int, DomainError] = {
    401: DomainError(Reason.TOKEN_INVALID),
    403: DomainError(Reason.PERMISSION_DENIED, permission=Permission.INTERNAL.name),
    404: DomainError(Reason.UNIMPLEMENTED),
    408: DomainError(Reason.DEADLINE_EXCEEDED),
    429: DomainError(Reason.RATE_LIMITED, limit="calls", scope="address", retry_after=1.0),
}
"""What Envoy's own statuses mean."""
_AWAY = (502, 503, 504)
"""Nobody can be reached whom the call could be led to."""
_ANY = "server"
"""Who is away if it is no service of the installation that is asked, as for health."""
_LATE = (504, DomainError(Reason.DEADLINE_EXCEEDED))
"""The same status, if the call had a deadline: that has passed, or the longest that is granted."""


def replies(names: Sequence[str]) -> LocalReplyConfig:
    """For gRPC by headers, for grpc-web as it is framed; to others it speaks HTTP.

    ``names`` are the services that calls may be led to.
    """
    with_deadline = _present("grpc-timeout")
    mappers = [_to_grpc_web(*_LATE, with_deadline), _to_grpc(*_LATE, with_deadline)]
    for status, error in _REASONS.items():
        mappers += [_to_grpc_web(status, error), _to_grpc(status, error)]
    for status in _AWAY:
        for name in names:
            asked = _path(f"/antiphon.{name}.")
            mappers += [_to_grpc_web(status, unavailable(name), asked)]
            mappers += [_to_grpc(status, unavailable(name), asked)]
        mappers += [_to_grpc_web(status, unavailable(_ANY)), _to_grpc(status, unavailable(_ANY))]
    return LocalReplyConfig(mappers=mappers)


def _to_grpc(status: int, error: DomainError, *also: AccessLogFilter) -> ResponseMapper:
    """Envoy itself makes HTTP 200 of it."""
    return ResponseMapper(
        filter=_all(_status(status), _content_type("application/grpc"), *also),
        headers_to_add=_headers(status_of(error)),
    )


def _to_grpc_web(status: int, error: DomainError, *also: AccessLogFilter) -> ResponseMapper:
    """A body that is a frame of trailers (PROTOCOL-WEB.md)."""
    return ResponseMapper(
        filter=_all(_status(status), _present("x-grpc-web"), *also),
        status_code=200,
        body=DataSource(inline_bytes=_frame(status_of(error))),
        body_format_override=SubstitutionFormatString(
            text_format_source=DataSource(inline_string="%LOCAL_REPLY_BODY%"),
            content_type=_GRPC_WEB,
        ),
    )


def _headers(status: status_pb2.Status) -> list[HeaderValueOption]:
    return [
        HeaderValueOption(
            header=HeaderValue(key=name, value=value),
            append_action=HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for name, value in _pairs(status).items()
    ]


def _frame(status: status_pb2.Status) -> bytes:
    lines = "".join(f"{name}:{value}\r\n" for name, value in _pairs(status).items()).encode()
    return bytes([_TRAILERS]) + len(lines).to_bytes(4) + lines


def _pairs(status: status_pb2.Status) -> dict[str, str]:
    details = b64encode(status.SerializeToString()).decode().rstrip("=")
    return {
        "grpc-status": str(status.code),
        "grpc-message": quote(status.message, safe=" !\"#$&'()*+,-./:;<=>?@[]^_`{|}~"),
        "grpc-status-details-bin": details,
    }


def _all(*filters: AccessLogFilter) -> AccessLogFilter:
    return AccessLogFilter(and_filter=AndFilter(filters=list(filters)))


def _status(status: int) -> AccessLogFilter:
    value = RuntimeUInt32(default_value=status, runtime_key=f"edge.reply_{status}")
    comparison = ComparisonFilter(op=ComparisonFilterOp.EQ, value=value)
    return AccessLogFilter(status_code_filter=StatusCodeFilter(comparison=comparison))


def _present(header: str) -> AccessLogFilter:
    matcher = HeaderMatcher(name=header, present_match=True)
    return AccessLogFilter(header_filter=HeaderFilter(header=matcher))


def _path(prefix: str) -> AccessLogFilter:
    matcher = HeaderMatcher(name=":path", string_match=StringMatcher(prefix=prefix))
    return AccessLogFilter(header_filter=HeaderFilter(header=matcher))


def _content_type(prefix: str) -> AccessLogFilter:
    matcher = HeaderMatcher(name="content-type", string_match=StringMatcher(prefix=prefix))
    return AccessLogFilter(header_filter=HeaderFilter(header=matcher))
