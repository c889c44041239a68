"""One exception for what goes wrong, its table of codes, and how it looks on the wire."""

from antiphon_server.runtime.errors.domain_error import (
    DomainError,
    FieldViolation,
    Reason,
    invalid,
    not_found,
    unavailable,
)

__all__ = ["DomainError", "FieldViolation", "Reason", "invalid", "not_found", "unavailable"]
