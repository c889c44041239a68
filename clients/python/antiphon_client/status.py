"""gRPC's statuses -> this package's exceptions."""

import contextlib

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from antiphon_client.errors import (
    AntiphonError,
    HistoryLost,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    Untrusted,
)
from antiphon_client.tls import untrusted

_DOMAIN = "antiphon"
_DETAILS_KEY = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_BY_REASON: dict[str, type[AntiphonError]] = {
    "CURSOR_TRIMMED": HistoryLost,
    "EPOCH_CHANGED": HistoryLost,
}
_BY_CODE: dict[grpc.StatusCode, type[AntiphonError]] = {
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
}


def error_of_rpc(error: grpc.aio.AioRpcError) -> AntiphonError:
    """The exception for a call that failed."""
    status = status_pb2.Status()
    code, message = error.code(), error.details() or ""
    if code is grpc.StatusCode.UNAVAILABLE and (why := untrusted(message)):
        return Untrusted(code, why)
    details = (error.trailing_metadata() or {}).get(_DETAILS_KEY)
    if isinstance(details, bytes):
        with contextlib.suppress(DecodeError):
            status = status_pb2.Status.FromString(details)
    status.code, status.message = code.value[0], message
    return error_of_status(status)


def error_of_status(status: status_pb2.Status) -> AntiphonError:
    """The exception for a status inside a message: a turn's or a watch's error."""
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(bad) or detail.Unpack(retry)
    reason = info.reason if info.domain == _DOMAIN else ""
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, AntiphonError)
    has_retry = retry.HasField("retry_delay")
    return kind(
        code,
        status.message,
        reason=reason,
        metadata=dict(info.metadata),
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None,
        violations={entry.field: entry.description for entry in bad.field_violations},
    )
