"""What can go wrong, as exceptions told apart by code and reason."""

from collections.abc import Mapping
from types import MappingProxyType

import grpc


class AntiphonError(Exception):
    """A call or stream failed.

    ``reason`` is the name of an ``antiphon.errors.v1.ErrorReason`` without its prefix,
    empty where the server said none (it was not reached, for one). ``metadata`` holds
    the reason's variables, ``violations`` the fields that break a rule and how,
    ``retry_after`` the seconds after which the server suggests to try again.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] = MappingProxyType({}),
        retry_after: float | None = None,
        violations: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = metadata
        self.retry_after = retry_after
        self.violations = violations

    def __str__(self) -> str:
        fields = "".join(f"; {field}: {rule}" for field, rule in self.violations.items())
        return f"{self.reason or self.code.name}: {self.message}{fields}"


class NotFound(AntiphonError):
    """The resource does not exist, or the caller may not know of it."""


class Unauthenticated(AntiphonError):
    """The credentials are missing, wrong, expired or revoked."""

    @property
    def of_token(self) -> bool:
        """Whether the access token is what the server refused: with another one it may work."""
        return self.reason in ("TOKEN_INVALID", "TOKEN_EXPIRED", "SESSION_REVOKED")


class PermissionDenied(AntiphonError):
    """The caller may see the resource but not do this."""


class Unavailable(AntiphonError):
    """The server, or what it needs, can't be reached now; the call may be repeated."""


class Untrusted(Unavailable):
    """No secure connection came about; ``message`` says why. It will not by trying again."""


class HistoryLost(AntiphonError):
    """The log's events after the cursor are gone, or were rebuilt.

    Read the state (the conversation's messages), then follow from ``earliest_cursor``.
    """

    @property
    def earliest_cursor(self) -> str:
        """The position before the first event that the log still has."""
        return self.metadata.get("earliest_cursor", "")


class GapError(AntiphonError):
    """An event is missing from a stream: a defect that no one may overlook.

    ``metadata`` has scope, expected_offset and found_offset.
    """


def connection_lost(message: str, retry_after: float | None = None) -> Unavailable:
    """The stream broke without a word from the server."""
    return Unavailable(grpc.StatusCode.UNAVAILABLE, message, retry_after=retry_after)
