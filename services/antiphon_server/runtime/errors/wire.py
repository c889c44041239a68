"""How each domain error looks on the wire, and back.

A status carries exactly one ErrorInfo of the domain ``antiphon``; codes and
sentences stand in ``codes``.
"""

import asyncio
from types import TracebackType

import grpc
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from antiphon_server.runtime.errors import DomainError, FieldViolation, Reason, unavailable
from antiphon_server.runtime.errors.codes import TABLE, sentence_of

DOMAIN = "antiphon"
DETAILS_KEY = "grpc-status-details-bin"
MOST_VIOLATIONS = 20
"""More would not fit a header block of 8 KiB, the usual limit."""
LONGEST_VALUE = 256
"""Characters of a request that are repeated in its refusal, for the same reason."""


# An unreachable peer is DRAINING rather than STORE_UNAVAILABLE: that one
# promises that nothing was stored, which nobody knows here.
_BY_CODE: dict[int, Reason] = {
    code_pb2.CANCELLED: Reason.DRAINING,
    code_pb2.INVALID_ARGUMENT: Reason.INVALID_ARGUMENT,
    code_pb2.DEADLINE_EXCEEDED: Reason.DEADLINE_EXCEEDED,
    code_pb2.NOT_FOUND: Reason.NOT_FOUND,
    code_pb2.ALREADY_EXISTS: Reason.ALREADY_EXISTS,
    code_pb2.PERMISSION_DENIED: Reason.PERMISSION_DENIED,
    code_pb2.UNAUTHENTICATED: Reason.UNAUTHENTICATED,
    code_pb2.RESOURCE_EXHAUSTED: Reason.OVERLOADED,
    code_pb2.UNIMPLEMENTED: Reason.UNIMPLEMENTED,
    code_pb2.UNAVAILABLE: Reason.DRAINING,
    # By a broken connection: a server's own error of that code has its reason with it.
    code_pb2.INTERNAL: Reason.DRAINING,
    code_pb2.UNKNOWN: Reason.DRAINING,
}
_SILENT = frozenset(
    {
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    }
)
"""What the transport says, in its own words, when a connection breaks or nothing comes."""
_RETRIABLE = frozenset({Reason.DRAINING, Reason.OVERLOADED})
_DISTRUST = frozenset(
    {
        Reason.UNAUTHENTICATED,
        Reason.TOKEN_INVALID,
        Reason.TOKEN_EXPIRED,
        Reason.CREDENTIALS_INVALID,
        Reason.SESSION_REVOKED,
    }
)


def status_of(error: DomainError) -> status_pb2.Status:
    """The status of an error: one ErrorInfo, then the details its kind calls for."""
    code: int = TABLE[error.reason].code.value[0]
    metadata = {key: value[:LONGEST_VALUE] for key, value in error.metadata.items()}
    status = status_pb2.Status(code=code, message=sentence_of(error.reason, metadata))
    info = error_details_pb2.ErrorInfo(reason=error.reason.value, domain=DOMAIN, metadata=metadata)
    # The same bytes in every process: Envoy would drain if a restart told it others.
    status.details.add().Pack(info, deterministic=True)
    if error.violations:
        status.details.add().Pack(_bad_request(error))
    if error.reason is Reason.LIMIT_EXCEEDED:
        status.details.add().Pack(_quota_failure(error, status.message))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(max(0.0, error.retry_after) * 1e9))
        status.details.add().Pack(retry)
    return status


def domain_error_of_status(status: status_pb2.Status) -> DomainError:
    """The error that a status carries; one by its code alone if it has no ErrorInfo of ours."""
    info = error_details_pb2.ErrorInfo()
    violations: list[FieldViolation] = []
    retry_after: float | None = None
    reason: Reason | None = None
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
            reason = _reason_named(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            detail.Unpack(bad)
            violations = [FieldViolation(v.field, v.description) for v in bad.field_violations]
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after = retry.retry_delay.ToNanoseconds() / 1e9
    if reason is None:
        return error_of_code(status.code)
    error = DomainError(reason, violations=violations, retry_after=retry_after)
    error.metadata.update(info.metadata)
    return error


def error_of_code(code: int) -> DomainError:
    """The error that fits a bare gRPC code, as a peer or a proxy without our table sends it."""
    reason = _BY_CODE.get(code, Reason.INTERNAL)
    return DomainError(reason, retry_after=1.0 if reason in _RETRIABLE else None)


def domain_error_of(error: grpc.aio.AioRpcError) -> DomainError:
    """The DomainError that a failed stub call carries."""
    details = (error.trailing_metadata() or {}).get(DETAILS_KEY)
    if isinstance(details, bytes):
        try:
            return domain_error_of_status(status_pb2.Status.FromString(details))
        except DecodeError:
            pass
    return error_of_code(error.code().value[0])


class remote_errors:
    """Raise the DomainError of a stub call that fails within the block.

    With ``service``, the call was made in this service's own name. If that service is unreachable,
    too slow, or does not trust this one, no caller was refused, and the error is
    SERVICE_UNAVAILABLE. Without it, the call was made on behalf of a caller, and its errors are
    passed on. A call that ended because this task is being cancelled raises CancelledError.
    """

    __slots__ = ("_service",)

    def __init__(self, service: str = "") -> None:
        self._service = service

    def __enter__(self) -> None:
        """Begin a block of calls."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Convert what the block raised."""
        if not isinstance(error, grpc.aio.AioRpcError):
            return
        if error.code() is grpc.StatusCode.CANCELLED and _being_cancelled():
            raise asyncio.CancelledError from error
        found = domain_error_of(error)
        if self._service and (found.reason in _DISTRUST or _unreachable(error)):
            raise unavailable(self._service) from error
        raise found from error


def _unreachable(error: grpc.aio.AioRpcError) -> bool:
    """Whether it was not the service that answered, or nobody did."""
    return error.code() in _SILENT and DETAILS_KEY not in (error.trailing_metadata() or {})


def _reason_named(info: error_details_pb2.ErrorInfo) -> Reason | None:
    known = info.domain == DOMAIN and info.reason in Reason.__members__
    return Reason(info.reason) if known else None


def _bad_request(error: DomainError) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    for violation in error.violations[:MOST_VIOLATIONS]:
        bad.field_violations.add(
            field=violation.field[:LONGEST_VALUE], description=violation.description[:LONGEST_VALUE]
        )
    return bad


def _quota_failure(error: DomainError, sentence: str) -> error_details_pb2.QuotaFailure:
    failure = error_details_pb2.QuotaFailure()
    limit = error.metadata.get("limit", "")[:LONGEST_VALUE]
    failure.violations.add(subject=limit, description=sentence)
    return failure


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
