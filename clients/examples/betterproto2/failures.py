"""What can go wrong, and after what a stream is resumed."""

from collections.abc import Sequence
from typing import Any

from grpclib.const import Status
from grpclib.encoding.base import StatusDetailsCodecBase
from grpclib.exceptions import GRPCError, StreamTerminatedError
from stubs.antiphon.events.v1 import CloseReason, WatchEnded
from stubs.google import rpc

# What the server says of itself, and what the transport says when a connection breaks.
_RESUMABLE_REASONS = frozenset(
    {"OVERLOADED", "DRAINING", "RATE_LIMITED", "SERVICE_UNAVAILABLE", "STORE_UNAVAILABLE"}
)
_RESUMABLE = frozenset(
    {
        Status.UNAVAILABLE,
        Status.DEADLINE_EXCEEDED,
        Status.CANCELLED,
        Status.INTERNAL,
        Status.UNKNOWN,
    }
)
# How grpclib tells of a connection that broke, or that took longer than its deadline.
BROKEN = (OSError, StreamTerminatedError, TimeoutError)


class Failure(Exception):
    """A call or stream failed; told apart by gRPC's status and by Antiphon's reason."""

    def __init__(self, status: Status, message: str, reason: str = "") -> None:
        super().__init__(f"{reason or status.name}: {message}")
        self.status = status
        self.reason = reason

    @property
    def resumable(self) -> bool:
        """Whether the same may be tried again."""
        if self.reason:
            return self.reason in _RESUMABLE_REASONS
        return self.status in _RESUMABLE


class Details(StatusDetailsCodecBase):
    """A status's details as dataclasses."""

    def encode(self, status: Status, message: str | None, details: Any) -> bytes:
        """Of no use to a client."""
        raise NotImplementedError

    def decode(self, status: Status, message: str | None, data: bytes) -> Any:
        """The details that a call's trailers hold."""
        return rpc.Status.parse(data).details


def failure_of(error: Exception) -> Failure:
    """Of a call that failed, in whatever way."""
    if isinstance(error, GRPCError):
        return Failure(error.status, error.message or "", _reason(error.details or ()))
    return Failure(Status.UNAVAILABLE, str(error) or type(error).__name__)


def failure_of_status(status: rpc.Status) -> Failure:
    """Of a status inside a message."""
    return Failure(Status(status.code), status.message, _reason(status.details))


def ending(ended: WatchEnded) -> Failure:
    """Why the watch is over. Those that are not named here are final."""
    if ended.error is not None:
        return failure_of_status(ended.error)
    status = {
        CloseReason.DRAINING: Status.UNAVAILABLE,
        CloseReason.SLOW_READER: Status.UNAVAILABLE,
        CloseReason.SESSION_ENDED: Status.UNAUTHENTICATED,
    }.get(ended.reason, Status.FAILED_PRECONDITION)
    return Failure(status, f"the watch has ended: {ended.reason.name}")


def _reason(details: Sequence[Any]) -> str:
    found = (any.unpack() for any in details if any.type_url.endswith("google.rpc.ErrorInfo"))
    return next((info.reason for info in found if info.domain == "antiphon"), "")
