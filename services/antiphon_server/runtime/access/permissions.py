"""What a caller may be asked for: the contract's enums of ``antiphon.auth.v1``, and their tables.

Roles are no order: what each may do stands in :data:`ROLES`, and nowhere else.
"""

from dataclasses import dataclass
from enum import Enum


class Permission(Enum):
    """What a caller must hold to call an RPC. Values are those of the contract."""

    UNSPECIFIED = 0
    PUBLIC = 1
    AUTHENTICATED = 2
    READ = 3
    WRITE = 4
    MANAGE = 5
    OPERATE = 6
    INTERNAL = 7
    READ_MEMBERS = 8


class Scope(Enum):
    """A permission granted to a limited credential; no scope includes another.

    Values are those of the contract.
    """

    UNSPECIFIED = 0
    NONE = 1
    READ = 2
    WRITE = 3
    MANAGE = 4
    ACCOUNT = 5
    OPERATE = 6
    WORK = 7


class Role(Enum):
    """The role of a user on a resource. Values are those of the contract."""

    NONE = 0
    VIEWER = 1
    MEMBER = 2
    ADMIN = 3
    OWNER = 4
    GUEST = 5

    @classmethod
    def _missing_(cls, value: object) -> "Role":
        """One that a newer server gave: what it allows is not known here, so nothing is."""
        return cls.NONE


ROLES: dict[Permission, frozenset[Role]] = {
    Permission.READ: frozenset({Role.GUEST, Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER}),
    Permission.READ_MEMBERS: frozenset({Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER}),
    Permission.WRITE: frozenset({Role.GUEST, Role.MEMBER, Role.ADMIN, Role.OWNER}),
    Permission.MANAGE: frozenset({Role.ADMIN, Role.OWNER}),
}
"""The roles that will do for each permission on a resource."""

INHERITED = (Role.OWNER, Role.ADMIN)
"""Roles on a workspace that count on its conversations too; the greater first."""

GRANTABLE = frozenset({Permission.AUTHENTICATED, Permission.READ, Permission.WRITE})
"""The permissions in whose place a grant may do."""

SCOPES: dict[Permission, Scope] = {
    Permission.READ: Scope.READ,
    Permission.READ_MEMBERS: Scope.READ,
    Permission.WRITE: Scope.WRITE,
    Permission.MANAGE: Scope.MANAGE,
    Permission.OPERATE: Scope.OPERATE,
}
"""The scopes that follow from a permission."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The access rule that the contract declares for an RPC.

    ``resource_path`` is the path of the request field that names the resource. ``method`` is the
    RPC's full name ``/package.Service/Method``. ``grant``: a turn's grant will do.
    """

    permission: Permission
    resource_path: tuple[str, ...] = ()
    scope: Scope = Scope.NONE
    method: str = ""
    grant: bool = False


def rule_for(permission: Permission) -> Rule:
    """The rule of any RPC with that permission on a resource."""
    return Rule(permission, scope=SCOPES.get(permission, Scope.NONE))
