"""What every refusal must be: a typed status, with exactly one ErrorInfo, that tells no secrets."""

import re
from collections.abc import Awaitable
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from antiphon.errors.v1.error_reason_pb2 import ErrorReason
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import domain_error_of

DETAILS = "grpc-status-details-bin"
REASONS = frozenset(ErrorReason.keys())
_LEAKS = re.compile(r"Traceback|Error\(|Exception|sqlalchemy|sqlite|\.py\b|canary|\b0x[0-9a-f]{6}")
_DEFECTS = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}


class Refused:
    """Expects a refusal for one reason, here or over a channel; ``error`` is what it said."""

    error: DomainError

    def __init__(self, reason: Reason) -> None:
        self._reason = reason

    def __enter__(self) -> "Refused":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, grpc.aio.AioRpcError):
            error = domain_error_of(error)
        assert isinstance(error, DomainError), f"not refused: {error!r}"
        assert error.reason is self._reason, error
        self.error = error
        return True


async def refused(call: Awaitable[Any]) -> str:
    """The reason for which ``call`` was refused; fails if it was not, or not as it should be."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    raise AssertionError(f"not refused, but answered: {answer}")


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason of a failed call, which must be typed."""
    details = (error.trailing_metadata() or {}).get(DETAILS)
    assert isinstance(details, bytes), f"no details: {error.code()} {error.details()}"
    status = status_pb2.Status.FromString(details)
    assert status.code == error.code().value[0]
    return reason_in(status)


def reason_in(status: status_pb2.Status) -> str:
    """The reason in a status, on the wire or in a message; it must be typed and tell no secrets."""
    assert status.code not in {code.value[0] for code in _DEFECTS}, status
    assert not _LEAKS.search(str(status)), status
    infos = [detail for detail in status.details if detail.Is(_INFO)]
    assert len(infos) == 1, status
    info = error_details_pb2.ErrorInfo()
    infos[0].Unpack(info)
    assert info.domain == "antiphon"
    assert f"ERROR_REASON_{info.reason}" in REASONS, info
    assert status.message
    return str(info.reason)


_INFO = error_details_pb2.ErrorInfo.DESCRIPTOR
