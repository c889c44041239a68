"""What a caller may be asked for: the contract's enums of ``antiphon.auth.v1``, without stubs."""

from enum import Enum


class Permission(Enum):
    """What a caller must hold to call an RPC. The contract's values."""

    UNSPECIFIED = 0
    PUBLIC = 1
    AUTHENTICATED = 2
    READ = 3
    WRITE = 4
    MANAGE = 5
    OPERATE = 6
    INTERNAL = 7


class Scope(Enum):
    """What a limited credential must have been granted; none includes another.

    The contract's values.
    """

    UNSPECIFIED = 0
    NONE = 1
    READ = 2
    WRITE = 3
    MANAGE = 4
    ACCOUNT = 5
    OPERATE = 6


SCOPES = {
    Permission.READ.value: Scope.READ,
    Permission.WRITE.value: Scope.WRITE,
    Permission.MANAGE.value: Scope.MANAGE,
    Permission.OPERATE.value: Scope.OPERATE,
}
"""The scopes that follow from a permission."""
