"""What a role allows: pure, total, and refusing whatever it does not know."""

import re
from enum import Enum

from antiphon.auth.v1.access_pb2 import (
    PERMISSION_AUTHENTICATED,
    PERMISSION_MANAGE,
    PERMISSION_OPERATE,
    PERMISSION_PUBLIC,
    PERMISSION_READ,
    PERMISSION_UNSPECIFIED,
    PERMISSION_WRITE,
    Permission,
)
from antiphon_server.context.model.resources import ResourceId, Role
from antiphon_server.runtime.principal import Principal

_WITH_ROLES = re.compile(
    r"(?:workspaces/)?(ws_[0-9A-Za-z_-]{8,64})|(?:conversations/)?(conv_[0-9A-Za-z_-]{8,64})"
)
_LEAST = {
    int(PERMISSION_READ): Role.VIEWER,
    int(PERMISSION_WRITE): Role.MEMBER,
    int(PERMISSION_MANAGE): Role.ADMIN,
}


class Verdict(Enum):
    """What comes of a check."""

    ALLOWED = "allowed"
    UNAUTHENTICATED = "unauthenticated"
    NOT_FOUND = "not found"
    DENIED = "denied"


def resource_with_roles(resource: str) -> ResourceId | None:
    """The workspace or conversation that a resource or scope is about; None for neither."""
    match = _WITH_ROLES.fullmatch(resource)
    return ResourceId(match[1] or match[2]) if match else None


def decide(principal: Principal, permission: int, resource: str, role: Role) -> Verdict:
    """Whether the caller may do that, having ``role`` on the resource if roles count there."""
    if permission == PERMISSION_PUBLIC:
        return Verdict.ALLOWED
    if permission == PERMISSION_UNSPECIFIED or permission not in Permission.values():
        return Verdict.DENIED
    if principal.kind == "service":
        return Verdict.ALLOWED
    if principal.kind == "anonymous":
        return Verdict.UNAUTHENTICATED
    if permission in _LEAST:
        return _decide_by_role(principal, _LEAST[permission], resource, role)
    allowed = permission == PERMISSION_AUTHENTICATED or (
        permission == PERMISSION_OPERATE and principal.operator
    )
    return Verdict.ALLOWED if allowed else Verdict.DENIED


def _decide_by_role(principal: Principal, least: Role, resource: str, role: Role) -> Verdict:
    if resource_with_roles(resource) is not None:
        held = role
    elif resource == "global":
        held = Role.OWNER if principal.operator else Role.VIEWER
    elif principal.user_id and resource == f"users/{principal.user_id}":
        held = Role.VIEWER
    else:
        held = Role.NONE
    if held is Role.NONE:
        return Verdict.NOT_FOUND
    return Verdict.ALLOWED if held >= least else Verdict.DENIED
