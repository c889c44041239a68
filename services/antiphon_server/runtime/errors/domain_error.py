"""The domain's errors: one exception, told apart by its reason.

Rules and adapters raise :class:`DomainError`; one interceptor turns it into a
gRPC status by the table in ``wire``. Nothing else reaches a client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The machine-readable cause: ``antiphon.errors.v1.ErrorReason`` without prefix."""

    INTERNAL = "INTERNAL"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    OVERLOADED = "OVERLOADED"
    DRAINING = "DRAINING"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"
    ETAG_MISMATCH = "ETAG_MISMATCH"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    TOKEN_INVALID = "TOKEN_INVALID"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    SESSION_REVOKED = "SESSION_REVOKED"
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    LOGIN_EXPIRED = "LOGIN_EXPIRED"
    AUTHORIZATION_PENDING = "AUTHORIZATION_PENDING"
    SLOW_DOWN = "SLOW_DOWN"
    LOGIN_DENIED = "LOGIN_DENIED"
    IDENTITY_UNKNOWN = "IDENTITY_UNKNOWN"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PASSWORD_BREACHED = "PASSWORD_BREACHED"
    USER_DISABLED = "USER_DISABLED"
    LAST_OPERATOR = "LAST_OPERATOR"
    PROVIDER_ANSWER_INVALID = "PROVIDER_ANSWER_INVALID"
    RATE_LIMITED = "RATE_LIMITED"
    SCOPE_MISSING = "SCOPE_MISSING"
    POLICY_UNAVAILABLE = "POLICY_UNAVAILABLE"
    PROVIDER_REFUSES_CLIENT = "PROVIDER_REFUSES_CLIENT"
    CURSOR_INVALID = "CURSOR_INVALID"
    CURSOR_TRIMMED = "CURSOR_TRIMMED"
    EPOCH_CHANGED = "EPOCH_CHANGED"
    FENCED = "FENCED"
    WATCH_EXISTS = "WATCH_EXISTS"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    CONVERSATION_ARCHIVED = "CONVERSATION_ARCHIVED"
    LAST_OWNER = "LAST_OWNER"
    HANDLER_NOT_FOUND = "HANDLER_NOT_FOUND"
    TURN_REJECTED = "TURN_REJECTED"
    TURN_LOST = "TURN_LOST"
    TURN_EXPIRED = "TURN_EXPIRED"
    PART_NOT_ACCEPTED = "PART_NOT_ACCEPTED"
    HANDLER_FAILED = "HANDLER_FAILED"
    HANDLER_UNAVAILABLE = "HANDLER_UNAVAILABLE"
    TURN_NOT_HELD = "TURN_NOT_HELD"
    HANDLER_NOT_ALLOWED = "HANDLER_NOT_ALLOWED"
    HANDOFF_CLAIMED = "HANDOFF_CLAIMED"
    HANDOFF_ENDED = "HANDOFF_ENDED"
    HANDOFF_EXPIRED = "HANDOFF_EXPIRED"
    HANDOFF_DECLINED = "HANDOFF_DECLINED"
    HANDOFF_IMPOSSIBLE = "HANDOFF_IMPOSSIBLE"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    MODEL_TIMEOUT = "MODEL_TIMEOUT"
    MODEL_PROTOCOL = "MODEL_PROTOCOL"
    MODEL_REFUSED = "MODEL_REFUSED"
    MODEL_PROMPT_TOO_LONG = "MODEL_PROMPT_TOO_LONG"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    PRICE_UNKNOWN = "PRICE_UNKNOWN"
    TOOL_NOT_FOUND = "TOOL_NOT_FOUND"
    TOOL_HELD = "TOOL_HELD"
    TOOL_DENIED = "TOOL_DENIED"
    TOOL_ARGUMENTS_INVALID = "TOOL_ARGUMENTS_INVALID"
    TOOL_TIMEOUT = "TOOL_TIMEOUT"
    TOOL_FAILED = "TOOL_FAILED"
    TOOL_CALL_CHANGED = "TOOL_CALL_CHANGED"
    TOOL_CALL_ENDED = "TOOL_CALL_ENDED"
    TOOL_CALL_LOST = "TOOL_CALL_LOST"
    TOOL_CHANGED = "TOOL_CHANGED"
    CONNECTION_UNAVAILABLE = "CONNECTION_UNAVAILABLE"
    EGRESS_DENIED = "EGRESS_DENIED"
    AUTHORIZATION_REQUIRED = "AUTHORIZATION_REQUIRED"
    AUTHORIZATION_FAILED = "AUTHORIZATION_FAILED"
    DESCRIPTORS_REQUIRED = "DESCRIPTORS_REQUIRED"
    CONNECTION_NEWER = "CONNECTION_NEWER"
    FORWARD_UNSUPPORTED = "FORWARD_UNSUPPORTED"
    CONTENT_BLOCKED = "CONTENT_BLOCKED"
    FILTER_UNAVAILABLE = "FILTER_UNAVAILABLE"
    WEBHOOK_DISABLED = "WEBHOOK_DISABLED"
    MEMORY_SOURCE_INVALID = "MEMORY_SOURCE_INVALID"
    MEMORY_NOT_ACTIVE = "MEMORY_NOT_ACTIVE"
    CONVERSATION_ERASED = "CONVERSATION_ERASED"
    WORKSPACE_ERASED = "WORKSPACE_ERASED"
    WORKSPACE_PERSONAL = "WORKSPACE_PERSONAL"
    THROTTLED = "THROTTLED"
    TURN_NOT_ENDED = "TURN_NOT_ENDED"
    ENTITY_NOT_ACTIVE = "ENTITY_NOT_ACTIVE"
    EXTERNAL_MEMORY_UNSET = "EXTERNAL_MEMORY_UNSET"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that breaks a rule: its path and the rule in words."""

    field: str
    description: str


class DomainError(Exception):
    """An expected refusal or failure.

    ``metadata`` holds the variables that the reason's comment in the contract
    names; they are public. ``retry_after`` is in seconds and is sent as RetryInfo.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        violations: Sequence[FieldViolation] = (),
        retry_after: float | None = None,
        **metadata: object,
    ) -> None:
        super().__init__(reason, metadata)
        self.reason = reason
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.metadata = {key: str(value) for key, value in metadata.items()}

    def __str__(self) -> str:
        """For logs: the reason and its variables."""
        told = ", ".join(f"{key} {value}" for key, value in self.metadata.items())
        return f"{self.reason.value} ({told})" if told else self.reason.value


def unavailable(service: str) -> DomainError:
    """A part of this installation can't be reached now."""
    return DomainError(Reason.SERVICE_UNAVAILABLE, service=service, retry_after=1.0)


def not_found(resource: str) -> DomainError:
    """The resource does not exist, or the caller may not know of it."""
    return DomainError(Reason.NOT_FOUND, resource=resource)


def invalid(field: str, description: str) -> DomainError:
    """One field of the request breaks a rule that the contract can't express."""
    violation = FieldViolation(field, description)
    return DomainError(Reason.INVALID_ARGUMENT, violations=[violation])
